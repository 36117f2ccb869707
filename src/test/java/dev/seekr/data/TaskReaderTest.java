package dev.seekr.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TaskReaderTest {
  private static final String GOOD = "{\"prompt\":\"p\",\"answer\":\"a\"}";

  private static final RecordFormat FORMAT = new RecordFormat(RunConfig.DEFAULT.data());

  @TempDir Path folder;

  private Path write(String json) throws IOException {
    return Files.writeString(folder.resolve("train.json"), json);
  }

  private static List<Example> read(Path file) {
    return TaskReader.read(
        List.of(file),
        FORMAT,
        bad -> {
          throw bad;
        });
  }

  @Test
  void badRecordsAreHandedOverAndTheRestIsRead() throws IOException {
    Path file =
        write(
            """
            [{"prompt": "", "answer": "a", "tags": [{"prompt": 1}]},
             {"prompt": "p", "answer": "a"},
             {"answer": {"prompt": "x"}, "prompt": "q"},
             {"prompt": "r", "answer": "b"}, {}, {"id": 3, "prompt": "q"}, 7]
            """);
    var bad = new ArrayList<String>();
    assertThat(TaskReader.read(List.of(file), FORMAT, f -> bad.add(f.getMessage())))
        .containsExactly(new Example("p", "a"), new Example("r", "b"));
    assertThat(bad)
        .containsExactly(
            file + ": record 1: field 'prompt': expected text, found an empty one",
            file + ": record 3: field 'answer': expected text, found an object",
            file
                + ": record 5: expected fields prompt and answer, instruction and output, messages, conversations or Instances, found no fields; data.fields={prompt: …, answer: …} names others",
            file + ": record 6: field 'answer': expected text, found none among id, prompt",
            file + ": record 7: expected an object, found 7");
  }

  @Test
  void nothingButBadRecordsIsNothing() throws IOException {
    Path file = write("[{}]");
    assertThat(TaskReader.read(List.of(file), FORMAT, f -> {})).isEmpty();
  }

  @Test
  void recordsComeInOrderWithTheirTextUntouched() throws IOException {
    Path file =
        write(
            """
            [{"prompt": " p\\n1 ", "answer": "ä😀"},
             {"id": {"prompt": 1, "x": [[]]}, "answer": "2", "tags": [1, {}], "prompt": "\\u0000"}]
            """);
    assertThat(read(file)).containsExactly(new Example(" p\n1 ", "ä😀"), new Example("\0", "2"));
  }

  @Test
  void aByteOrderMarkIsNoText() throws IOException {
    assertThat(read(write("\uFEFF[" + GOOD + "]"))).hasSize(1);
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        arguments("", "expected an array of records, found an empty file"),
        arguments("\"x\"", "found a string"),
        arguments("17", "found 17"),
        arguments("[]", "at least one record"),
        arguments("[" + GOOD + ",[]]", "record 2: expected an object, found an empty list"),
        arguments("[" + GOOD + ",null]", "record 2: expected an object, found null"),
        arguments("[\"x\"]", "record 1: expected an object, found a string"),
        arguments(
            "[" + GOOD + "," + GOOD + ",{\"prompt\":\"p\"}]",
            "record 3: field 'answer': expected text, found none among prompt"),
        arguments(
            "[{\"answer\":\"a\"}]",
            "record 1: field 'prompt': expected text, found none among answer"),
        arguments("[{\"text\":\"a\"}]", "record 1: expected fields prompt and answer, "),
        arguments("[{\"text\":\"a\"}]", " found text; data.fields="),
        arguments("[{}]", "found no fields"),
        arguments(
            "[{\"prompt\":\"\",\"answer\":\"a\"}]", "'prompt': expected text, found an empty one"),
        arguments(
            "[{\"prompt\":\"p\",\"answer\":\" \\n\"}]",
            "'answer': expected text, found only white"),
        arguments("[{\"prompt\":NaN,\"answer\":\"a\"}]", "'prompt': expected text, found NaN"),
        arguments("[{\"prompt\":\"p\",\"answer\":null}]", "'answer': expected text, found null"),
        arguments("[{\"prompt\":\"p\",\"answer\":true}]", "found true"),
        arguments("[{\"prompt\":\"p\",\"answer\":[]}]", "found an empty list"),
        arguments("[{\"prompt\":\"p\",\"answer\":[\"a\",[]]}]", "found an empty list"),
        arguments("[{\"prompt\":\"p\",\"answer\":[\"a\",\"\"]}]", "found an empty one"),
        arguments("[{\"prompt\":{},\"answer\":\"a\"}]", "found an object"),
        arguments("[{\"prompt\":\"p\",\"prompt\":\"q\",\"answer\":\"a\"}]", "Duplicate"),
        arguments(
            "[" + GOOD + "]\n" + GOOD, ":2: expected nothing after the array, found an object"),
        arguments(GOOD + " 7", ":1: expected nothing after the object, found 7"),
        arguments(GOOD + "\n{\"prompt\"", "line 2: expected one record in JSON, found: "),
        arguments("[" + GOOD + "] x", "expected JSON"),
        arguments("[" + GOOD + ",]", "expected JSON"),
        arguments("[" + GOOD + ",\n {\"prompt\" \"p\"}]", ":2:12: expected JSON"),
        arguments("[" + GOOD, "expected JSON"),
        arguments("[{\"prompt\":\"p", "expected JSON"),
        arguments("[{\"x\":" + "[".repeat(100_000), "nesting depth"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource
  void failures(String json, String message) throws IOException {
    fails(write(json), 65, message);
  }

  @Test
  void bytesThatAreNotUtf8AreData() throws IOException {
    byte[] bytes = ("[" + GOOD.replace("\"p\"", "\"?\"") + "]").getBytes(StandardCharsets.US_ASCII);
    bytes[12] = (byte) 0xFF;
    fails(Files.write(folder.resolve("train.json"), bytes), 65, "UTF-8");
  }

  @Test
  void whatIsNoFileIsInput() {
    fails(folder.resolve("none.json"), 66, "no such file");
    fails(folder, 66, "no such file");
  }

  private static void fails(Path file, int exit, String message) {
    assertThatThrownBy(() -> read(file))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(exit))
        .hasMessageStartingWith(file + ":")
        .hasMessageContaining(message);
  }
}
