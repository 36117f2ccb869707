package dev.seekr.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsTest {
  @TempDir Path folder;

  private static Tensor random(Memory memory, DType dtype, SplittableRandom random, long... shape) {
    var t = memory.allocate("test", dtype, shape);
    for (long i = 0; i < t.size(); i++) t.set(i, random.nextInt(-2000, 2000));
    return t;
  }

  @ParameterizedTest
  @EnumSource
  void everyTypeComesBackInOddShapes(DType dtype) {
    var random = new SplittableRandom(dtype.ordinal());
    long[][] shapes = {{}, {1}, {0}, {7}, {3, 5}, {2, 0, 9}, {1, 1, 1, 2}, {63}, {65, 3}, {127}};
    Path file = folder.resolve("x.safetensors");
    var tensors = new LinkedHashMap<String, Tensor>();
    try (var memory = new Memory("test")) {
      for (long[] shape : shapes) {
        tensors.put("t" + tensors.size(), random(memory, dtype, random, shape));
      }
      Disk.write(file, SafetensorsWriter.content(tensors));
      try (var read = Safetensors.open(file)) {
        assertThat(read.names()).containsExactlyElementsOf(tensors.keySet());
        tensors.forEach(
            (name, t) -> {
              assertThat(read.has(name)).isTrue();
              assertThat(read.shape(name)).containsExactly(t.shape());
              assertThat(read.get(name).dtype()).isEqualTo(dtype);
              assertThat(read.get(name).shape()).containsExactly(t.shape());
              assertThat(read.get(name).data().mismatch(t.data())).isEqualTo(-1);
            });
      }
    }
  }

  @Test
  void aFileWrittenByHandIsReadElementByElement() throws IOException {
    String header =
        "{\"__metadata__\":{\"format\":\"pt\",\"by\":\"hand\"},"
            + "\"late\":{\"dtype\":\"I32\",\"shape\":[1,2],\"data_offsets\":[2,10]},"
            + "\"early\":{\"extra\":[{}],\"data_offsets\":[0,2],\"shape\":[1],\"dtype\":\"U16\"}}  \n";
    Path file = HeaderBytes.write(folder, HeaderBytes.file(header, 10));
    try (var read = Safetensors.open(file)) {
      assertThat(read.names()).containsExactly("early", "late");
      assertThat(read.metadata()).isEqualTo(Map.of("format", "pt", "by", "hand"));
      assertThat(read.get("late").toInts()).containsExactly(0x05040302, 0x09080706);
      assertThat(read.shape("early")).containsExactly(1);
      assertThatThrownBy(() -> read.get("early"))
          .isInstanceOfSatisfying(
              Failure.class, f -> assertThat(f.exit).isEqualTo(Failure.Exit.DATA))
          .hasMessageContainingAll(file.toString(), "'early'", "U16", "BF16");
      assertThat(read.has("none")).isFalse();
      assertThatThrownBy(() -> read.get("none"))
          .isInstanceOf(Failure.class)
          .hasMessageContainingAll(file.toString(), "'none'", "2");
      assertThatThrownBy(() -> read.shape("none")).isInstanceOf(Failure.class);
    }
  }

  @Test
  void noTensorsAtAllIsAFileToo() throws IOException {
    try (var read = Safetensors.open(HeaderBytes.write(folder, HeaderBytes.file("{}", 0)))) {
      assertThat(read.names()).isEmpty();
      assertThat(read.metadata()).isEmpty();
    }
  }

  @Test
  void shapesAndDataAreCopies() throws IOException {
    String header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    try (var read = Safetensors.open(HeaderBytes.write(folder, HeaderBytes.file(header, 8)))) {
      read.shape("a")[0] = 99;
      read.get("a").shape()[0] = 99;
      assertThat(read.get("a").shape()).containsExactly(2);
      float[] before = read.get("a").toFloats();
      read.get("a").set(0, 1);
      assertThat(read.get("a").toFloats()).containsExactly(before).isNotEqualTo(new float[2]);
      assertThatThrownBy(() -> read.names().clear())
          .isInstanceOf(UnsupportedOperationException.class);
    }
  }

  @Test
  void closingUnmaps() throws IOException {
    String header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    var read = Safetensors.open(HeaderBytes.write(folder, HeaderBytes.file(header, 4)));
    var a = read.get("a");
    read.close();
    assertThatThrownBy(() -> a.get(0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void namesOfAnyScriptRoundTrip() {
    Path file = folder.resolve("x.safetensors");
    var tensors = new LinkedHashMap<String, Tensor>();
    for (String name : new String[] {"", "a\"b\\c\n", "中文", "😀", "x".repeat(5000)}) {
      tensors.put(name, Tensor.of(new float[] {tensors.size()}));
    }
    Disk.write(file, SafetensorsWriter.content(tensors, Map.of("ключ", "значение"), null));
    try (var read = Safetensors.open(file)) {
      assertThat(read.names()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
      tensors.forEach((n, t) -> assertThat(read.get(n).get(0)).isEqualTo(t.get(0)));
      assertThat(read.metadata()).containsEntry("ключ", "значение");
    }
  }

  @Test
  void aMissingFileIsInput() {
    assertThatThrownBy(() -> Safetensors.open(folder.resolve("none.safetensors")))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(66))
        .hasMessageContaining("none.safetensors: no such file");
    assertThatThrownBy(() -> Safetensors.open(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(66))
        .hasMessageContaining("expected a file");
  }

  @Test
  void aGitLfsPointerSaysWhatToDo() throws IOException {
    String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    Path file = HeaderBytes.write(folder, pointer.getBytes(StandardCharsets.US_ASCII));
    assertThatThrownBy(() -> Safetensors.open(file))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageContainingAll(file.toString(), "Git LFS pointer", "git lfs pull");
  }

  @Test
  void aFolderWithoutAModelSaysWhatWasExpected() throws IOException {
    assertThatThrownBy(() -> TensorSource.open(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(66))
        .hasMessageContainingAll("model.safetensors", "model.safetensors.index.json");
    Files.createFile(folder.resolve("pytorch_model.bin"));
    assertThatThrownBy(() -> TensorSource.open(folder))
        .hasMessageContaining("./seekr convert " + folder + " OUT");
  }
}
