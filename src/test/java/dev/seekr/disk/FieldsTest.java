package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FieldsTest {
  @TempDir Path folder;

  private Path file() {
    return folder.resolve("a.json");
  }

  private Fields read(String json) {
    try {
      return Fields.read(Files.writeString(file(), json));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reading the field of an object that has it alone fails, by a message on one line. */
  private void wrong(String value, String found, String expected, Consumer<Fields> reading) {
    var fields = read(value == null ? "{}" : "{\"x\": " + value + "}");
    var failure = catchThrowableOfType(Failure.class, () -> reading.accept(fields));
    assertThat(failure).as("of " + value).isNotNull();
    assertThat(failure).hasMessage("%s: x is %s; expected %s", file(), found, expected);
    assertThat(failure.exit.code).isEqualTo(65);
  }

  @Test
  void everyTypeAndItsBounds() {
    var fields =
        read(
            """
            {"a": -2147483648, "b": 9223372036854775807, "c": 1.5, "d": true, "e": "é\\n",
             "f": {"g": [{"h": 1}, {}]}, "i": [3, 1, 2], "j": 7, "k": [[1], [], [2, 3]], "n": null}
            """);
    assertThat(fields.whole("a", Integer.MIN_VALUE, 0)).isEqualTo(Integer.MIN_VALUE);
    assertThat(fields.longWhole("b")).isEqualTo(Long.MAX_VALUE);
    assertThat(fields.longWhole("a")).isEqualTo(Integer.MIN_VALUE);
    assertThat(fields.positive("c", 7)).isEqualTo(1.5);
    assertThat(fields.positive("j", 1)).isEqualTo(7);
    assertThat(fields.flag("d", false)).isTrue();
    assertThat(fields.text("e")).isEqualTo("é\n");
    var inner = fields.section("f").sections("g");
    assertThat(inner).hasSize(2);
    assertThat(inner.getFirst().whole("h", 1, 1)).isEqualTo(1);
    assertThat(inner.get(1).where()).isEqualTo(file() + ": f: g[1]");
    assertThat(fields.wholes("i", 1, 3)).containsExactly(3, 1, 2);
    assertThat(fields.wholes("j", 7, 7)).containsExactly(7);
    assertThat(fields.lists("k", 1, 3)).isDeepEqualTo(new int[][] {{1}, {}, {2, 3}});
  }

  /** Only what is not there has a default; null is not there. */
  @Test
  void defaults() {
    var fields = read("{\"n\": null}");
    for (String name : new String[] {"n", "none"}) {
      assertThat(fields.has(name)).isFalse();
      assertThat(fields.whole(name, 1, 2, 9)).isEqualTo(9);
      assertThat(fields.positive(name, -1)).isEqualTo(-1);
      assertThat(fields.flag(name, true)).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "4",
        "-1",
        "2147483648",
        "9223372036854775808",
        "1.0",
        "1e0",
        "NaN",
        "Infinity",
        "true",
        "\"1\"",
        "[1]",
        "{}"
      })
  void noWholeNumberFromOneToThree(String value) {
    String found =
        value.equals("1e0") ? "1.0" : value.matches("[NI].*") ? '"' + value + '"' : value;
    wrong(value, found, "a whole number from 1 to 3", f -> f.whole("x", 1, 3));
    wrong(value, found, "a whole number from 1 to 3", f -> f.whole("x", 1, 3, 2));
    if (!value.equals("[1]"))
      wrong(value, found, "whole numbers from 1 to 3", f -> f.wholes("x", 1, 3));
    wrong(
        "[[" + value + "]]",
        "[[" + found + "]]",
        "whole numbers from 1 to 3",
        f -> f.lists("x", 1, 3));
  }

  @Test
  void nullAndNothing() {
    wrong(null, "missing", "a whole number from 1 to 3", f -> f.whole("x", 1, 3));
    wrong("null", "null", "a whole number from 1 to 3", f -> f.whole("x", 1, 3));
    wrong(null, "missing", "a whole number", f -> f.longWhole("x"));
    wrong("null", "null", "a text", f -> f.text("x"));
    wrong(null, "missing", "an object", f -> f.section("x"));
    wrong("null", "null", "a list", f -> f.sections("x"));
    wrong(null, "missing", "whole numbers from 1 to 3", f -> f.wholes("x", 1, 3));
    wrong("[1, null]", "[1,null]", "whole numbers from 1 to 3", f -> f.wholes("x", 1, 3));
    wrong("[null]", "[null]", "a list of lists", f -> f.lists("x", 1, 3));
    wrong(null, "missing", "a list of lists", f -> f.lists("x", 1, 3));
  }

  @Test
  void otherTypes() {
    wrong("1.0", "1.0", "a whole number", f -> f.longWhole("x"));
    wrong("9223372036854775808", "9223372036854775808", "a whole number", f -> f.longWhole("x"));
    wrong("\"1\"", "\"1\"", "a whole number", f -> f.longWhole("x"));
    wrong("\"true\"", "\"true\"", "true or false", f -> f.flag("x", true));
    wrong("0", "0", "true or false", f -> f.flag("x", true));
    wrong("5", "5", "a text", f -> f.text("x"));
    wrong("[]", "[]", "an object", f -> f.section("x"));
    wrong("{}", "{}", "a list", f -> f.sections("x"));
    wrong("[[1], 2]", "[[1],2]", "a list of lists", f -> f.lists("x", 1, 3));
  }

  /** Also as the float that it is computed with. */
  @ParameterizedTest
  @ValueSource(
      strings = {"0", "-0.0", "-1e-3", "1e-50", "1e39", "1e400", "NaN", "Infinity", "\"1\"", "[]"})
  void notPositive(String value) {
    var fields = read("{\"x\": " + value + "}");
    var failure = catchThrowableOfType(Failure.class, () -> fields.positive("x", 1));
    assertThat(failure.exit.code).isEqualTo(65);
    assertThat(failure)
        .hasMessageStartingWith(file() + ": x is ")
        .hasMessageEndingWith("; expected a positive, finite number");
  }

  @Test
  void elementsOfListsAreObjects() {
    var fields = read("{\"x\": [{}, 5]}");
    var failure = catchThrowableOfType(Failure.class, () -> fields.sections("x"));
    assertThat(failure).hasMessage(file() + ": x[1]: expected an object, found 5");
  }

  @Test
  void longValuesAreCut() {
    String text = "x".repeat(1000);
    wrong(
        '"' + text + '"',
        '"' + text.substring(0, 59) + "...",
        "true or false",
        f -> f.flag("x", true));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          []                    | : expected an object, found []
          null                  | : expected an object, found null
          "{}"                  | : expected an object, found "{}"
          ``                    | : expected an object, found nothing
          {"a": 1, "a": 1}      | :1: not JSON: Duplicate field 'a'
          {"a": {"b": 1,"b":2}} | :1: not JSON: Duplicate field 'b'
          {\\n"a":\\n           | :3: not JSON: Unexpected end-of-input within/between Object entries
          {"a": 01}             | :1: not JSON: Invalid numeric value: Leading zeroes not allowed
          {"a": 1} {}           | :1: not JSON: Trailing token
          {'a': 1}              | :1: not JSON: Unexpected character (''' (code 39))
          {"a": 1,}             | :1: not JSON: Unexpected character ('}' (code 125))
          {"a": "\\u0000\\n     | :1: not JSON: Illegal unquoted character
          """)
  void noObject(String text, String message) {
    String json = text.replace("\\n", "\n").replace("\\u0000", "\0");
    var failure = catchThrowableOfType(Failure.class, () -> read(json));
    assertThat(failure).as(text).isNotNull();
    assertThat(failure.exit.code).isEqualTo(65);
    assertThat(failure).hasMessageStartingWith(file() + message);
    assertThat(failure.getMessage()).hasLineCount(1);
  }

  /** Whatever a file holds, its message is one line. */
  @Test
  void namesWithLineBreaks() {
    for (String json : new String[] {"{\"a\\nb\": 1, \"a\\nb\": 2}", "{\"a\\nb\": 1, x\ny\n}"}) {
      var failure = catchThrowableOfType(Failure.class, () -> read(json));
      assertThat(failure.getMessage()).hasLineCount(1);
    }
  }

  /** Numbers and nests without end are refused in no time. */
  @Test
  void tooMuch() {
    for (String json :
        new String[] {
          "{\"a\":".repeat(5000), "[".repeat(100_000), "{\"a\": 1" + "0".repeat(5000) + "}"
        }) {
      var failure = catchThrowableOfType(Failure.class, () -> read(json));
      assertThat(failure.exit.code).isEqualTo(65);
      assertThat(failure).hasMessageStartingWith(file() + ":1: not JSON: ");
      assertThat(failure.getMessage()).hasLineCount(1).hasSizeLessThan(400);
    }
  }

  @Test
  void filesThatCannotBeRead() throws IOException {
    var missing = catchThrowableOfType(Failure.class, () -> Fields.read(file()));
    assertThat(missing.exit.code).isEqualTo(66);
    assertThat(missing).hasMessage(file() + ": cannot be read: no such file or folder");
    Files.write(file(), new byte[] {'{', (byte) 0xff, '}'});
    var binary = catchThrowableOfType(Failure.class, () -> Fields.read(file()));
    assertThat(binary.exit.code).isEqualTo(65);
    assertThat(binary).hasMessage(file() + ": expected UTF-8 text, found bytes that are none");
  }
}
