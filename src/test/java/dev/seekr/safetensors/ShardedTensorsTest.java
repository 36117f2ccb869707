package dev.seekr.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ShardedTensorsTest {
  @TempDir Path folder;

  @BeforeEach
  void shards() {
    Disk.write(folder.resolve("1.safetensors"), SafetensorsWriter.content(tensors("a", 1, "b", 2)));
    Disk.write(
        folder.resolve("2.safetensors"),
        SafetensorsWriter.content(tensors("c", 3, "d", 4), null, null));
    Disk.write(
        folder.resolve("again.safetensors"),
        SafetensorsWriter.content(tensors("b", 5, "e", 6), null, null));
  }

  private static Map<String, Tensor> tensors(String x, float vx, String y, float vy) {
    return Map.of(x, Tensor.of(new float[] {vx}), y, Tensor.of(new float[] {vy}, 1, 1));
  }

  private void index(String json) throws IOException {
    Files.writeString(folder.resolve(TensorSource.INDEX), json);
  }

  @Test
  void namesAreFoundInTheirShards() throws IOException {
    index(
        """
        {"metadata": {"total_size": 16, "deep": [[]]}, "weight_map": {
          "d": "2.safetensors", "a": "1.safetensors", "b": "./1.safetensors"}}
        """);
    try (var read = TensorSource.open(folder)) {
      assertThat(read.names()).containsExactly("a", "b", "d");
      assertThat(read.get("a").get(0)).isEqualTo(1);
      assertThat(read.get("d").get(0)).isEqualTo(4);
      assertThat(read.shape("b")).containsExactly(1, 1);
      assertThat(read.metadata()).containsEntry("format", "pt");
      assertThat(read.has("c")).as("the index does not list it").isFalse();
      assertThatThrownBy(() -> read.get("c"))
          .isInstanceOf(Failure.class)
          .hasMessageContainingAll(TensorSource.INDEX, "'c'");
    }
  }

  @Test
  void aSingleFileComesBeforeAnIndex() throws IOException {
    index("{}");
    Disk.write(
        folder.resolve(TensorSource.SINGLE),
        SafetensorsWriter.content(tensors("x", 1, "y", 2), null, null));
    try (var read = TensorSource.open(folder)) {
      assertThat(read.names()).containsExactly("x", "y");
    }
    try (var read = TensorSource.open(folder.resolve("1.safetensors"))) {
      assertThat(read.names()).containsExactly("a", "b");
    }
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        arguments(map("a", "none.safetensors"), 66, "none.safetensors: no such file"),
        arguments(
            map("a", "1.safetensors\",\"e\":\"again.safetensors"), 65, "'b' is in two shards"),
        arguments(map("a", "2.safetensors"), 65, "'a' in 2.safetensors, found no such tensor"),
        arguments(
            map("a", "2.safetensors\",\"b\":\"1.safetensors"),
            65,
            "'a' in 2.safetensors, found it in 1.safetensors"),
        arguments(map("a", "../x.safetensors"), 65, "'a': expected a file in this folder"),
        arguments(map("a", "1/../../x.safetensors"), 65, "in this folder"),
        arguments(map("a", "/x.safetensors"), 65, "in this folder"),
        arguments(map("a", ""), 65, "in this folder"),
        arguments(map("a", "\\u0000"), 65, "in this folder"),
        arguments(map("a", "1.safetensors\",\"a\":\"1.safetensors"), 65, "Duplicate"),
        arguments("{\"weight_map\":{\"a\":1}}", 65, "'a': expected a file name, found '1'"),
        arguments("{\"weight_map\":{\"a\":{}}}", 65, "expected a file name"),
        arguments("{\"weight_map\":[]}", 65, "weight_map: expected an object"),
        arguments("{\"weight_map\":{}}", 65, "names tensors, found none"),
        arguments("{}", 65, "names tensors, found none"),
        arguments("[]", 65, "expected an object"),
        arguments("", 65, "expected an object"),
        arguments("{\"weight_map\":{", 65, "expected JSON"),
        arguments(map("a", "1.safetensors") + "{}", 65, "nothing after the object"),
        arguments("{\"x\": 1}", 65, "'x' is not known; expected weight_map and metadata alone"),
        arguments("{\"metadata\":" + "[".repeat(100_000), 65, "nesting depth"));
  }

  private static String map(String name, String shard) {
    return "{\"weight_map\":{\"%s\":\"%s\"}}".formatted(name, shard);
  }

  @ParameterizedTest(name = "{2}")
  @MethodSource
  void failures(String json, int exit, String message) throws IOException {
    index(json);
    assertThatThrownBy(() -> TensorSource.open(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(exit))
        .hasMessageContaining(message)
        .hasMessageContaining(folder.toString());
  }

  @Test
  void aMissingIndexIsInput() {
    assertThatThrownBy(() -> TensorSource.open(folder.resolve("none.index.json")))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(66));
  }

  @Test
  void anIndexThatIsNotUtf8IsData() throws IOException {
    Files.write(folder.resolve(TensorSource.INDEX), new byte[] {'{', '"', (byte) 0xFF, '"'});
    assertThatThrownBy(() -> TensorSource.open(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageContaining("UTF-8");
  }
}
