package dev.seekr.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a StateWriter collects comes back bit by bit; anything else is named. */
class StateReaderTest {
  @TempDir Path folder;
  private final Memory memory = new Memory("test");
  private final StateWriter to = new StateWriter();

  @AfterEach
  void free() {
    memory.close();
  }

  /** As it is on disk. */
  private StateReader written() {
    Disk.write(folder.resolve(StateReader.VALUES), to.values().toPrettyString());
    to.tensors()
        .forEach(
            (section, tensors) ->
                Disk.write(
                    folder.resolve(StateReader.fileOf(section)),
                    SafetensorsWriter.content(tensors)));
    return StateReader.open(folder);
  }

  private StateReader text(String json) throws IOException {
    Files.writeString(folder.resolve(StateReader.VALUES), json);
    return StateReader.open(folder);
  }

  private void fails(String message, ThrowingCallable action) {
    var failure = catchThrowableOfType(Failure.class, action);
    assertThat(failure).hasMessage(folder + "/" + message);
    assertThat(failure.exit.code).isEqualTo(65);
  }

  @Test
  void everyKindOfValue() {
    var random = new SplittableRandom(5);
    double[] doubles = new double[1000];
    for (int i = 6; i < doubles.length; i++)
      do doubles[i] = Double.longBitsToDouble(random.nextLong());
      while (!Double.isFinite(doubles[i]));
    System.arraycopy(
        new double[] {-0.0, 0.1, Double.MIN_VALUE, Double.MAX_VALUE, 1e23, 5e-324},
        0,
        doubles,
        0,
        6);
    float[] floats = new float[1000];
    for (int i = 0; i < floats.length; i++)
      do floats[i] = Float.intBitsToFloat(random.nextInt());
      while (!Float.isFinite(floats[i]));
    String text = "é\n\"\\\u0000\ud83d\ude00 'x'";
    to.put("int", Integer.MIN_VALUE);
    to.put("long", Long.MIN_VALUE);
    to.put("double", -0.0);
    to.put("text", text);
    to.put("flag", true);
    to.put("doubles", doubles);
    to.put("floats", floats);
    double[] odd = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
    to.put("odd", odd);
    to.put("table", new Double[][] {{1.5, null}, {}});
    to.put("ints", new int[] {Integer.MAX_VALUE, -1});
    to.put("longs", new long[] {Long.MAX_VALUE});
    to.put("texts", List.of("a", ""));
    to.put("keys", new TreeSet<>(List.of(3, 1)));
    to.put("map", Map.of("a b", "c"));
    try (var from = written()) {
      assertThat(from.get("int", Integer.class)).isEqualTo(Integer.MIN_VALUE);
      assertThat(from.get("long", Long.class)).isEqualTo(Long.MIN_VALUE);
      assertThat(from.get("double", Double.class)).isEqualTo(-0.0);
      assertThat(from.get("text", String.class)).isEqualTo(text);
      assertThat(from.get("flag", Boolean.class)).isTrue();
      double[] back = from.get("doubles", double[].class);
      for (int i = 0; i < doubles.length; i++)
        assertThat(Double.doubleToRawLongBits(back[i]))
            .isEqualTo(Double.doubleToRawLongBits(doubles[i]));
      float[] backFloats = from.get("floats", float[].class);
      for (int i = 0; i < floats.length; i++)
        assertThat(Float.floatToRawIntBits(backFloats[i]))
            .isEqualTo(Float.floatToRawIntBits(floats[i]));
      assertThat(from.get("odd", double[].class)).containsExactly(odd);
      assertThat(from.get("table", Double[][].class))
          .isDeepEqualTo(new Double[][] {{1.5, null}, {}});
      assertThat(from.get("ints", int[].class)).containsExactly(Integer.MAX_VALUE, -1);
      assertThat(from.get("longs", long[].class)).containsExactly(Long.MAX_VALUE);
      assertThat(from.get("texts", String[].class)).containsExactly("a", "");
      assertThat(from.get("keys", Integer[].class)).containsExactly(1, 3);
      assertThat(from.section("map").get("a b", String.class)).isEqualTo("c");
      assertThat(from.has("int")).isTrue();
      assertThat(from.has("none")).isFalse();
    }
  }

  /** All bits, those of NaN and -0 too, in sections and sections of these. */
  @ParameterizedTest
  @EnumSource
  void everyKindOfTensor(DType type) {
    var random = new SplittableRandom(type.ordinal());
    var deep = to.section("method").section("buffers").section("2");
    Tensor[] tensors = {
      memory.allocate("t", type, 3, 5, 7),
      memory.allocate("t", type, 1),
      memory.allocate("t", type, 0, 4)
    };
    for (Tensor tensor : tensors)
      for (long i = 0; i < tensor.bytes(); i++)
        tensor.data().set(java.lang.foreign.ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    to.section("weights").tensor("flat", tensors[0]);
    deep.tensor("a.b", tensors[1]);
    deep.tensor("c", tensors[2]);
    try (var from = written()) {
      var inner = from.section("method").section("buffers").section("2");
      assertThat(inner.hasTensor("c")).isTrue();
      assertThat(inner.hasTensor("d")).isFalse();
      assertThat(inner.shape("c")).containsExactly(0, 4);
      same(tensors[0], from.section("weights"), "flat");
      same(tensors[1], inner, "a.b");
      same(tensors[2], inner, "c");
    }
  }

  private void same(Tensor expected, StateReader from, String name) {
    Tensor back = memory.allocate("t", expected.dtype(), expected.shape());
    from.tensor(name, back);
    assertThat(back.data().mismatch(expected.data())).isEqualTo(-1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          1.0            | Integer
          1.5            | Long
          2147483648     | Integer
          9223372036854775808 | Long
          "1"            | Integer
          "1"            | Double
          ""             | Long
          " "            | Long
          "  "           | Integer
          " "            | Double
          "\\t"           | Boolean
          [1, " "]       | Integer[]
          " F32"         | DType
          "f32"          | DType
          ""             | DType
          " "            | DType
          0              | DType
          true           | Integer
          1              | Boolean
          "true"         | Boolean
          5              | String
          1.5            | String
          true           | String
          [1]            | Integer
          {}             | String
          1              | int[]
          [1.0]          | int[]
          [1, null]      | int[]
          ["1"]          | int[]
          "AAAA"         | int[]
          ""             | int[]
          [[1], 2]       | double[][]
          [1, "2"]       | String[]
          null           | Integer
          null           | String
          """)
  void otherTypes(String value, String type) throws IOException {
    Class<?> wanted =
        switch (type) {
          case "Integer" -> Integer.class;
          case "Long" -> Long.class;
          case "Double" -> Double.class;
          case "Boolean" -> Boolean.class;
          case "String" -> String.class;
          case "int[]" -> int[].class;
          case "double[]" -> double[].class;
          case "Integer[]" -> Integer[].class;
          case "DType" -> DType.class;
          case "double[][]" -> double[][].class;
          default -> String[].class;
        };
    String found = value.replace(", ", ",");
    try (var from = text("{\"s\": {\"x\": " + value + "}}")) {
      var section = from.section("s");
      fails(
          "state.json: 's.x': expected %s, found %s".formatted(type, found),
          () -> section.get("x", wanted));
    }
  }

  @Test
  void whatIsMissing() throws IOException {
    try (var from = text("{\"a\": 1, \"s\": {\"t\": {}}}")) {
      fails("state.json: 'b': expected Integer, found none", () -> from.get("b", Integer.class));
      fails("state.json: 'b': expected a section, found none", () -> from.section("b"));
      fails("state.json: 'a': expected a section, found 1", () -> from.section("a"));
      var inner = from.section("s").section("t");
      fails("state.json: 's.t.u': expected a section, found none", () -> inner.section("u"));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"a": 1    | state.json: not JSON: Unexpected end-of-input: expected close marker for Object
          {} {}      | state.json: not JSON: Trailing token (of type START_OBJECT)
          {"a": NaN} | state.json: not JSON: Non-standard token 'NaN'
          """)
  void noJson(String json, String message) {
    var failure = catchThrowableOfType(Failure.class, () -> text(json));
    assertThat(failure.exit.code).isEqualTo(65);
    assertThat(failure).hasMessageStartingWith(folder + "/" + message);
    assertThat(failure.getMessage()).hasLineCount(1);
  }

  @Test
  void noObject() throws IOException {
    for (String json : List.of("", "[]", "5", "null"))
      try (var from = text(json)) {
        assertThat(from.has("a")).isFalse();
        fails("state.json: 'a': expected Integer, found none", () -> from.get("a", Integer.class));
        fails("state.json: 'a': expected a section, found none", () -> from.section("a"));
      }
    Files.delete(folder.resolve("state.json"));
    var failure = catchThrowableOfType(Failure.class, () -> StateReader.open(folder));
    assertThat(failure.exit.code).isEqualTo(66);
    assertThat(failure).hasMessage(folder + "/state.json: cannot be read: no such file or folder");
  }

  @Test
  void tensorsOfOtherShapesAndTypes() {
    to.section("w").section("in").tensor("x", memory.allocate("t", DType.F32, 2, 3));
    to.section("none").put("a", 1);
    try (var from = written()) {
      var in = from.section("w").section("in");
      String expected = "w.safetensors: expected tensor 'in.%s' of %s, found %s";
      Tensor turned = memory.allocate("t", DType.F32, 3, 2);
      fails(expected.formatted("x", turned, "F32[2, 3]"), () -> in.tensor("x", turned));
      Tensor narrow = memory.allocate("t", DType.F16, 2, 3);
      fails(expected.formatted("x", narrow, "F32[2, 3]"), () -> in.tensor("x", narrow));
      Tensor y = memory.allocate("t", DType.F32, 2, 3);
      fails(expected.formatted("y", y, "none of that name"), () -> in.tensor("y", y));
      assertThat(from.section("none").hasTensor("x")).isFalse();
      var missing = catchThrowableOfType(Failure.class, () -> from.section("none").tensor("x", y));
      assertThat(missing).hasMessage(folder + "/none.safetensors: no such file");
      assertThatIllegalStateException()
          .isThrownBy(() -> from.hasTensor("x"))
          .withMessage("tensors lie in sections");
    }
  }
}
