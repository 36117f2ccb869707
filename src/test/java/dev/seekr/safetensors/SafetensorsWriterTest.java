package dev.seekr.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  @TempDir Path folder;

  @Test
  void theBytesAreThoseOfTheFormat() throws IOException {
    Path file = folder.resolve("x.safetensors");
    Disk.write(
        file,
        SafetensorsWriter.content(
            Map.of("w", Tensor.of(new float[] {1, -2}, 1, 2)), Map.of("k", "v"), null));
    var bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int length = (int) bytes.getLong();
    assertThat(length % 8).isZero();
    String header = new String(bytes.array(), 8, length, StandardCharsets.UTF_8);
    assertThat(header.stripTrailing())
        .isEqualTo(
            "{\"__metadata__\":{\"format\":\"pt\",\"k\":\"v\"},"
                + "\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}");
    bytes.position(8 + length);
    assertThat(bytes.getFloat()).isEqualTo(1);
    assertThat(bytes.getFloat()).isEqualTo(-2);
    assertThat(bytes.hasRemaining()).isFalse();
  }

  @Test
  void theOrderOfTheMapDoesNotMatter() throws IOException {
    var there = new LinkedHashMap<String, Tensor>();
    there.put("b", Tensor.of(new float[] {1}));
    there.put("a", Tensor.of(new float[] {2, 3}));
    there.put("c", Tensor.of(new int[] {4}));
    var back = new LinkedHashMap<String, Tensor>();
    there.reversed().forEach(back::put);
    Disk.write(folder.resolve("1"), SafetensorsWriter.content(there, null, null));
    Disk.write(folder.resolve("2"), SafetensorsWriter.content(back));
    assertThat(folder.resolve("1")).hasSameBinaryContentAs(folder.resolve("2"));
  }

  @Test
  void wideElementsComeFirstSoThatAllDataIsAligned() {
    try (var memory = new Memory("test")) {
      var tensors = new LinkedHashMap<String, Tensor>();
      for (DType t : new DType[] {DType.F16, DType.I32, DType.F64, DType.BF16, DType.I64}) {
        tensors.put(t.name(), memory.allocate("test", t, 3));
      }
      Disk.write(folder.resolve("x"), SafetensorsWriter.content(tensors, null, null));
    }
    try (var read = Safetensors.open(folder.resolve("x"))) {
      assertThat(read.names()).containsExactly("F64", "I64", "I32", "BF16", "F16");
      for (String name : read.names()) {
        var t = read.get(name);
        assertThat(t.data().address() % t.dtype().bytes).as(name).isZero();
      }
    }
  }

  @Test
  void floatsAreRoundedAndIntegersAreLeftAlone() {
    float[] values = {1.00390625f, 1.01171875f, 1e-40f, 65504, Float.NaN, -0.0f};
    var tensors = Map.of("w", Tensor.of(values), "ids", Tensor.of(new int[] {70_000}));
    for (DType as : new DType[] {DType.F16, DType.BF16, DType.F64}) {
      Disk.write(folder.resolve("x"), SafetensorsWriter.content(tensors, null, as));
      try (var read = Safetensors.open(folder.resolve("x"));
          var memory = new Memory("test")) {
        var expected = memory.allocate("test", as, values.length);
        for (int i = 0; i < values.length; i++) expected.set(i, values[i]);
        assertThat(read.get("w").dtype()).isEqualTo(as);
        assertThat(read.get("w").toDoubles()).containsExactly(expected.toDoubles());
        assertThat(read.get("ids").toInts()).containsExactly(70_000);
      }
    }
    // By hand: 1 + 2^-8 lies between two bfloat16s and goes to the even one, 1 + 3 * 2^-8 likewise.
    assertThat(DType.fromBf16(DType.toBf16(values[0]))).isEqualTo(1);
    assertThat(DType.fromBf16(DType.toBf16(values[1]))).isEqualTo(1.015625f);
  }

  @Test
  void tensorsLargerThanTheBufferComeWhole() {
    float[] values = new float[(1 << 21) + 7];
    for (int i = 0; i < values.length; i++) values[i] = i % 8191;
    for (DType as : new DType[] {null, DType.F64}) {
      Disk.write(
          folder.resolve("x"), SafetensorsWriter.content(Map.of("w", Tensor.of(values)), null, as));
      try (var read = Safetensors.open(folder.resolve("x"))) {
        assertThat(Arrays.mismatch(read.get("w").toFloats(), values)).isEqualTo(-1);
      }
    }
  }

  @Test
  void aFileIsReplacedWholeWhileItIsOpen() throws IOException {
    Path file = folder.resolve("x");
    Disk.write(
        file, SafetensorsWriter.content(Map.of("w", Tensor.of(new float[] {1})), null, null));
    try (var old = Safetensors.open(file)) {
      Disk.write(
          file,
          SafetensorsWriter.content(Map.of("w", old.get("w"), "v", old.get("w")), null, null));
      assertThat(old.get("w").get(0)).isEqualTo(1);
      try (var read = Safetensors.open(file)) {
        assertThat(read.names()).containsExactly("v", "w");
      }
    }
    try (var left = Files.list(folder)) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void failuresLeaveNothingBehind() throws IOException {
    var tensors = Map.of("w", Tensor.of(new float[] {1}));
    Path nowhere = folder.resolve("none").resolve("x");
    assertThatThrownBy(() -> Disk.write(nowhere, SafetensorsWriter.content(tensors, null, null)))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(73))
        .hasMessageContaining("cannot be made: no such file or folder");
    Path taken = Files.createDirectories(folder.resolve("taken").resolve("inner")).getParent();
    assertThatThrownBy(() -> Disk.write(taken, SafetensorsWriter.content(tensors, null, null)))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(74))
        .hasMessageContaining("taken: cannot be written");
    assertThatThrownBy(
            () ->
                Disk.write(
                    taken,
                    SafetensorsWriter.content(
                        Map.of("__metadata__", tensors.get("w")), null, null)))
        .isInstanceOf(IllegalArgumentException.class);
    try (var left = Files.list(folder)) {
      assertThat(left).containsExactly(taken);
    }
  }
}
