package dev.seekr.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.config.Changed;
import dev.seekr.config.DataSettings;
import dev.seekr.config.RunConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The files of scripts/data_samples.py hold the same texts in every format. */
class DataFormatsTest {
  private static final Path SAMPLES = Path.of("src/test/resources/data");
  private static final List<String> COLOURS = List.of("red", "green", "blue");

  @TempDir Path root;

  private static Task load(Path root, String task, Object... changed) {
    var data =
        Changed.of(RunConfig.DEFAULT.data(), "root", root.toString(), "tasks", List.of(task));
    return TaskSequence.load(Changed.of(data, changed), 1).getFirst();
  }

  private static String colour(int i) {
    return COLOURS.get(i % 3);
  }

  private static String box(int i) {
    return "Box %d is painted \"%s\", not grey.".formatted(i, colour(i));
  }

  private static void check(Task task, java.util.function.IntFunction<Example> expected) {
    assertThat(task.train())
        .containsExactlyElementsOf(IntStream.range(0, 8).mapToObj(expected).toList());
    assertThat(task.test())
        .containsExactlyElementsOf(IntStream.range(8, 12).mapToObj(expected).toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"lines", "lines_as_json", "zipped", "csv", "tsv", "parquet", "folder"})
  void pairsInEveryKindOfFile(String task) {
    check(load(SAMPLES, task), i -> new Example("Which colour?\n" + box(i), colour(i)));
  }

  private static Example several(String prompt, int i) {
    return new Example(prompt, List.of(colour(i), colour(i).toUpperCase()), "");
  }

  @Test
  void aListOfAnswersIsSeveralThatAreRight() {
    check(load(SAMPLES, "array"), i -> several("Which colour?\n" + box(i), i));
  }

  @Test
  void numbersAreText() throws IOException {
    check(load(SAMPLES, "numbers"), i -> new Example(i + " + " + i + " =", "" + 2 * i));
    folder("a", "train.json", "[{\"prompt\":\"p\",\"answer\":1.50}]");
    folder("b", "train.csv", "answer,prompt\n1e3,007\n");
    assertThat(load(root, "a").train()).containsExactly(new Example("p", "1.50"));
    assertThat(load(root, "b").train()).containsExactly(new Example("007", "1e3"));
  }

  @Test
  void instructionsStandBeforeTheirInput() {
    check(
        load(SAMPLES, "alpaca"),
        i ->
            new Example(
                "Which colour?\n\n" + (i == 0 || i == 8 ? "" : box(i) + "\n\n"), colour(i)));
  }

  @Test
  void conversationsOfOneAnswer() {
    check(
        load(SAMPLES, "sharegpt"),
        i -> new Example("Which colour?\n" + box(i) + "\n\n", colour(i)));
    for (String task : List.of("messages", "parts"))
      check(
          load(SAMPLES, task),
          i -> new Example("Be short.\n\nWhich colour?\n" + box(i) + "\n\n", colour(i)));
  }

  @Test
  void superNiTasksWithTheirDefinitionOrAnother() {
    String input = "Input: Which colour?\n";
    check(
        load(SAMPLES, "superni"),
        i -> several("Name the colour of the box.\n\n" + input + box(i) + "\nOutput: ", i));
    check(
        load(SAMPLES, "superni", "instruction", "none"),
        i -> several(input + box(i) + "\nOutput: ", i));
    check(
        load(SAMPLES, "superni", "instruction", "Look!"),
        i -> several("Look!\n\n" + input + box(i) + "\nOutput: ", i));
  }

  @Test
  void fieldsOfOtherNames() {
    check(
        load(
            SAMPLES,
            "named",
            "fields",
            Map.of("prompt", "question + context", "answer", "answers.text")),
        i -> new Example("Which colour?\n" + box(i), colour(i)));
    fails(
        () -> load(SAMPLES, "named", "fields", Map.of("anser", "answers.text")),
        78,
        "data.fields: unknown name 'anser'");
    fails(() -> load(SAMPLES, "named"), 65, "found context, question, answers; data.fields=");
    fails(
        () -> load(SAMPLES, "named", "fields", Map.of("prompt", "question", "answer", "a.b")),
        65,
        "train.jsonl: line 1: field 'a.b': expected text, found none among context, question");
  }

  @Test
  void aFormatThatIsNamedIsTheOnlyOne() {
    fails(
        () -> load(SAMPLES, "alpaca", "format", DataSettings.Format.sharegpt),
        65,
        "field 'conversations': expected a list of messages, found none among instruction");
  }

  @Test
  void conversationsThatAreNone() throws IOException {
    String user = "{\"role\":\"user\",\"content\":\"u\"}",
        answer = "{\"role\":\"assistant\",\"content\":\"a\"}";
    message("", "field 'messages': expected a list of messages, found an empty list");
    message(user, "field 'messages': expected an answer at the end, found user");
    message(answer, "expected messages of user and assistant in turn");
    message(user + "," + user, "of the system, found user, user");
    message(
        user + "," + answer + "," + user + "," + answer,
        "expected one message and its answer, without data.chat, found user, assistant, user, as");
    message("{\"role\":\"tool\",\"content\":\"t\"}", "role 'tool': expected system, user");
    message("{\"role\":\"user\"}", "field 'value': expected text, found none among role");
    message("7", "field 'messages': expected objects in it, found 7");
  }

  @Test
  void eachAnswerOfAConversationIsAnExample() throws IOException {
    folder(
        "m",
        "train.json",
        """
        [{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"},
          {"role": "assistant", "content": "a"}, {"role": "user", "content": "v"},
          {"role": "assistant", "content": "b"}]},
         {"instruction": "i", "input": "j", "output": "o"}]
        """);
    var s = new Message("system", "s");
    var all = List.of(s, new Message("user", "u"), new Message("assistant", "a"));
    assertThat(load(root, "m", "chat", "template").train())
        .containsExactly(
            new Example("u", List.of("a"), List.of(s), ""),
            new Example("v", List.of("b"), all, ""),
            new Example("i\n\nj", "o"));
  }

  private void message(String messages, String fault) throws IOException {
    folder("m", "train.json", "[{\"messages\":[%s]}]".formatted(messages));
    fails(() -> load(root, "m"), 65, fault);
  }

  @Test
  void instancesOfATaskAreBadOneByOne() throws IOException {
    folder(
        "s",
        "train.json",
        """
        {"Definition": "D", "Instances": [{"input": "i", "output": ["o", ""]}, {"input": "i", "output": "o"}, 3]}""");
    fails(
        () -> load(root, "s"),
        65,
        "train.json: record 1: instance 1: field 'output': expected text, found an empty one\n",
        "train.json: record 1: instance 3: expected an object, found 3; data.bad_records=skip");
    Object[] leftOut = {"badRecords", DataSettings.BadRecords.skip};
    var skip = load(root, "s", leftOut);
    assertThat(skip.train()).containsExactly(new Example("D\n\nInput: i\nOutput: ", "o"));
  }

  @Test
  void aSplitOfBadRecordsAloneIsNone() throws IOException {
    folder("s", "train.csv", "prompt,answer\n,a\n");
    fails(
        () -> load(root, "s", "badRecords", DataSettings.BadRecords.skip),
        65,
        "s/train.csv: expected at least one good record, found none");
    assertThatThrownBy(() -> load(root, "s"))
        .hasMessageStartingWith(root + "/s/train.csv: record 1: field 'prompt': expected text")
        .hasMessageNotContaining("good record");
  }

  @Test
  void theFirstTwentyFaultsOfAllFilesComeAtOnce() throws IOException {
    folder("a", "train.jsonl", "{\"prompt\":\"p\"}\nx\n" + "{\"prompt\":\"p\",\"answer\":\"a\"}\n");
    folder("b", "train.json", "[{\"prompt\"");
    folder("c", "train.csv", "prompt,answer\np,a\n" + "q,\n".repeat(30));
    var data =
        Changed.of(
            RunConfig.DEFAULT.data(), "root", root.toString(), "tasks", List.of("a", "b", "c"));
    assertThatThrownBy(() -> TaskSequence.load(data, 1))
        .isInstanceOfSatisfying(
            Failure.class,
            f -> {
              var lines = Arrays.asList(f.getMessage().split("\n"));
              assertThat(lines).hasSize(21);
              assertThat(lines.get(0)).contains("b/train.json:1:11: expected JSON");
              assertThat(lines.get(1)).contains("a/train.jsonl: line 1: field 'answer'");
              assertThat(lines.get(2)).contains("a/train.jsonl: line 2: expected one record in");
              assertThat(lines.get(3)).contains("c/train.csv: record 2: field 'answer'");
              assertThat(lines.get(20))
                  .contains("record 19: ")
                  .endsWith("these are the first 20 of 32");
            });
    fails(
        () -> TaskSequence.load(Changed.of(data, "badRecords", DataSettings.BadRecords.skip), 1),
        65,
        "b/train.json:1:11: expected JSON");
  }

  @Test
  void recordsOfATableAreCountedWhateverTheirLines() throws IOException {
    folder("c", "train.csv", "answer,prompt\n\"a\nb\",p\n,q\n");
    fails(
        () -> load(root, "c"), 65, "train.csv: record 2: field 'answer': expected text, found an");
  }

  @Test
  void whatIsNoTable() throws IOException {
    folder("c", "train.csv", "prompt,prompt,answer\n1,2,3\n");
    fails(() -> load(root, "c"), 65, "train.csv:1: the heading has 'prompt' twice");
    folder("c", "train.csv", "prompt,answer\n1,2,3\n");
    fails(() -> load(root, "c"), 65, "train.csv:2:", "expected CSV, found: ");
    folder("c", "train.csv", "prompt,answer\n");
    fails(() -> load(root, "c"), 65, "expected at least one record, found none");
  }

  @Test
  void filesThatAreCutShort() throws IOException {
    for (String[] file :
        new String[][] {{"parquet", "train.parquet"}, {"zipped", "train.jsonl.gz"}}) {
      byte[] whole = Files.readAllBytes(SAMPLES.resolve(file[0]).resolve(file[1]));
      for (int n : new int[] {0, 3, whole.length / 2, whole.length - 1}) {
        folder(file[0], file[1], "");
        Files.write(root.resolve(file[0]).resolve(file[1]), Arrays.copyOf(whole, n));
        fails(() -> load(root, file[0]), 65, file[1] + ": expected ");
      }
    }
  }

  @Test
  void aSplitIsThereOnce() throws IOException {
    folder("t", "train.json", "[{\"prompt\":\"p\",\"answer\":\"a\"}]");
    Files.writeString(root.resolve("t/train.csv"), "prompt,answer\np,a\n");
    fails(() -> load(root, "t"), 65, "the train split is there 2 times, as train.csv, train.json");
  }

  private void folder(String name, String train, String text) throws IOException {
    Path folder = Files.createDirectories(root.resolve(name));
    Files.deleteIfExists(folder.resolve("test.json"));
    Files.writeString(folder.resolve(train), text);
    Files.writeString(folder.resolve("test.json"), "[{\"prompt\":\"p\",\"answer\":\"a\"}]");
  }

  private static void fails(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, int exit, String... message) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(exit))
        .hasMessageContainingAll(message);
  }
}
