package dev.seekr.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.config.Changed;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.DataSettings;
import dev.seekr.config.DataSettings.BadRecords;
import dev.seekr.config.RunConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TaskSequenceTest {
  private static final List<String> TRACE =
      List.of(
          "C-STANCE",
          "FOMC",
          "MeetingBank",
          "Py150",
          "ScienceQA",
          "NumGLUE-cm",
          "NumGLUE-ds",
          "20Minuten");
  private static final List<String> SUPERNI =
      List.of(
          "task1572",
          "task363",
          "task1290",
          "task181",
          "task002",
          "task1510",
          "task073",
          "task748",
          "task511",
          "task591",
          "task195",
          "task875");

  @TempDir Path root;

  private DataSettings data(List<String> tasks, int order, int trainLimit, int testLimit) {
    return Changed.of(
        RunConfig.DEFAULT.data(),
        "root",
        root.toString(),
        "tasks",
        tasks,
        "order",
        order,
        "trainLimit",
        trainLimit,
        "testLimit",
        testLimit);
  }

  /** Of task a, as settings are written. */
  private DataSettings settings(String... more) {
    var all = new ArrayList<>(List.of("data.root=" + root, "data.tasks=[a]"));
    all.addAll(List.of(more));
    return ConfigReader.parse("", "test", all).data();
  }

  private void folder(String name, int train, int test) throws IOException {
    Path folder = Files.createDirectory(root.resolve(name));
    Files.writeString(folder.resolve("train.json"), records(name + " train ", train));
    Files.writeString(folder.resolve("test.json"), records(name + " test ", test));
  }

  private static String records(String text, int n) {
    var records = new ArrayList<String>();
    for (int i = 0; i < n; i++) {
      records.add("{\"prompt\":\"%s%d\",\"answer\":\"%d\"}".formatted(text, i, i));
    }
    return records.toString();
  }

  private List<String> order(int order) {
    return TaskSequence.load(data(null, order, 0, 0), 1).stream().map(Task::name).toList();
  }

  @Test
  void badRecordsEndTheRunOrAreLeftOut() throws IOException {
    folder("a", 3, 1);
    Files.writeString(
        root.resolve("a/train.json"), "[{\"prompt\":\"p\",\"answer\":\"a\"},{\"answer\":\"a\"}]");
    var fail = data(List.of("a"), 0, 0, 0);
    assertThatThrownBy(() -> TaskSequence.load(fail, 1))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageContaining("record 2: field 'prompt'")
        .hasMessageContaining("data.bad_records=skip");
    var skip = Changed.of(fail, "badRecords", BadRecords.skip);
    assertThat(TaskSequence.load(skip, 1).getFirst().train())
        .containsExactly(new Example("p", "a"));
  }

  @Test
  void ownTasksComeInTheirOrderCutToTheLimits() throws IOException {
    folder("b", 5, 4);
    folder("a", 2, 1);
    var tasks = TaskSequence.load(data(List.of("b", "a"), 0, 3, 0), 1);
    assertThat(tasks).extracting(Task::name).containsExactly("b", "a");
    assertThat(tasks.get(0).train())
        .extracting(Example::prompt)
        .containsExactly("b train 0", "b train 1", "b train 2");
    assertThat(tasks.get(0).test()).hasSize(4);
    assertThat(tasks.get(1).train()).hasSize(2);
    assertThat(TaskSequence.load(data(List.of("b"), 0, 0, 1), 1).getFirst().test())
        .containsExactly(new Example("b test 0", "0"));
  }

  @Test
  void testsAreReadAlone() throws IOException {
    folder("b", 5, 4);
    Files.delete(root.resolve("b/train.json"));
    var tests = TaskSequence.loadTests(data(List.of("b"), 0, 0, 3)).getFirst();
    assertThat(tests.train()).isEmpty();
    assertThat(tests.test())
        .extracting(Example::prompt)
        .containsExactly("b test 0", "b test 1", "b test 2");
    fails(data(List.of("b"), 0, 0, 0), 66, "b: no training split; expected train.json");
  }

  /** The same for a seed; other samples for another; none is trained on. */
  @ParameterizedTest
  @CsvSource({"0.25, 2", "0.2, 2", "0.01, 1", "3, 3", "8, 8"})
  void samplesAreKeptApart(String holdout, int kept) throws IOException {
    folder("a", 9, 2);
    var settings = settings("data.holdout=" + holdout);
    Task task = TaskSequence.load(settings, 1).getFirst();
    assertThat(task.validation()).hasSize(kept);
    var all = new ArrayList<>(task.train());
    assertThat(all).extracting(Example::answer).isSorted();
    all.addAll(task.validation());
    assertThat(all)
        .containsExactlyInAnyOrderElementsOf(TaskSequence.load(settings(), 1).getFirst().train());
    assertThat(task.test()).hasSize(2);
    assertThat(TaskSequence.load(settings, 1)).containsExactly(task);
    var seeds = new HashSet<List<Example>>();
    for (int seed = 0; seed < 20; seed++)
      seeds.add(TaskSequence.load(settings, seed).getFirst().validation());
    assertThat(seeds).hasSizeGreaterThan(kept == 8 ? 4 : 5);
  }

  @Test
  void theLimitCountsBeforeSamplesAreKeptApart() throws IOException {
    folder("a", 9, 2);
    Task task = TaskSequence.load(settings("data.holdout=2", "data.train_limit=5"), 1).getFirst();
    assertThat(task.train()).hasSize(3);
    assertThat(task.validation()).hasSize(2).allMatch(e -> Integer.parseInt(e.answer()) < 5);
    fails(
        settings("data.holdout=5", "data.train_limit=5"),
        65,
        "a: data.holdout keeps 5 of 5 training records apart");
  }

  /**
   * Only where data.holdout asks for it; of the whole split, whatever limit and seed, so that no
   * model is scored by what it has learnt.
   */
  @ParameterizedTest
  @CsvSource({"0.25, 2", "3, 3"})
  void aMissingTestSplitIsMadeOfTrainingSamples(String holdout, int kept) throws IOException {
    folder("a", 9, 1);
    var whole = TaskSequence.load(settings(), 1).getFirst().train();
    Files.delete(root.resolve("a/test.json"));
    fails(
        settings(),
        66,
        "; data.holdout=0.1 keeps a tenth of the training samples apart to test on");
    var settings = settings("data.holdout=" + holdout);
    Task task = TaskSequence.load(settings, 1).getFirst();
    assertThat(task.test()).hasSize(kept);
    assertThat(task.validation()).isEmpty();
    assertThat(task.train()).hasSize(9 - kept).doesNotContainAnyElementsOf(task.test());
    assertThat(whole).containsAll(task.train()).containsAll(task.test());
    assertThat(task.note())
        .hasValue(
            "a: no test split; scored by %d training samples kept apart (data.holdout)"
                .formatted(kept));
    assertThat(TaskSequence.loadTests(settings).getFirst().test()).isEqualTo(task.test());
    for (int seed = 2; seed < 9; seed++)
      assertThat(TaskSequence.load(settings, seed)).containsExactly(task);
    var limited = settings("data.holdout=" + holdout, "data.train_limit=2", "data.test_limit=1");
    Task few = TaskSequence.load(limited, 1).getFirst();
    assertThat(few.train()).isEqualTo(task.train().subList(0, 2));
    assertThat(few.test()).isEqualTo(task.test().subList(0, 1));
    fails(settings("data.holdout=9"), 65, "a: data.holdout keeps 9 of 9 training records apart");
    fails(settings("data.validation=eval_json"), 66, "a: no test split");
  }

  /** A task that has one keeps it, beside tasks that have none. */
  @Test
  void aTestSplitThatIsThereIsTaken() throws IOException {
    folder("a", 9, 2);
    folder("b", 9, 2);
    Files.delete(root.resolve("b/test.json"));
    var tasks = TaskSequence.load(settings("data.holdout=2", "data.tasks=[a, b]"), 1);
    assertThat(tasks.get(0).validation()).hasSize(2);
    assertThat(tasks.get(0).test())
        .extracting(Example::prompt)
        .containsExactly("a test 0", "a test 1");
    assertThat(tasks.get(0).note()).isEmpty();
    assertThat(tasks.get(1).validation()).isEmpty();
    assertThat(tasks.get(1).test()).hasSize(2);
  }

  /** eval.json, where one may choose by it. */
  @Test
  void evalJson() throws IOException {
    folder("a", 3, 2);
    var settings = settings("data.validation=eval_json", "data.test_limit=1");
    fails(settings, 66, "a: no eval split; expected eval.json");
    Path file = root.resolve("a/eval.json");
    for (int records : new int[] {2, 1}) {
      Files.writeString(file, records("a test ", records));
      fails(settings, 65, "a: all of its eval records are in the test split too");
    }
    Files.writeString(file, records("a test ", 3));
    Task task = TaskSequence.load(settings, 1).getFirst();
    assertThat(task.train()).hasSize(3);
    assertThat(task.validation())
        .extracting(Example::prompt)
        .containsExactly("a test 0", "a test 1", "a test 2");
    assertThat(task.test()).hasSize(1);
  }

  @Test
  void theOrdersOfThePaper() throws IOException {
    for (String name : TRACE) folder(name, 1, 1);
    for (String name : SUPERNI) folder(name, 1, 1);
    assertThat(order(1)).isEqualTo(TRACE);
    assertThat(order(2))
        .containsExactly(
            "NumGLUE-cm",
            "NumGLUE-ds",
            "FOMC",
            "20Minuten",
            "C-STANCE",
            "Py150",
            "MeetingBank",
            "ScienceQA");
    assertThat(order(3)).isEqualTo(SUPERNI);
    assertThat(order(4))
        .containsExactly(
            "task748",
            "task073",
            "task1572",
            "task195",
            "task591",
            "task363",
            "task1510",
            "task181",
            "task511",
            "task002",
            "task1290",
            "task875");
  }

  @Test
  void task1687StandsInForTask195OnlyWhereThatIsMissing() throws IOException {
    for (String name : SUPERNI) if (!name.equals("task195")) folder(name, 1, 1);
    assertThatThrownBy(() -> order(3)).hasMessageContaining("task195");
    folder("task1687", 1, 1);
    assertThat(order(3)).hasSize(12).doesNotContain("task195").element(10).isEqualTo("task1687");
    assertThat(order(4)).element(3).isEqualTo("task1687");
    assertThatThrownBy(() -> TaskSequence.load(data(List.of("task195"), 0, 0, 0), 1))
        .as("tasks that the user names are never replaced")
        .hasMessageContaining("task195: no such task folder");
    folder("task195", 1, 1);
    assertThat(order(3)).element(10).isEqualTo("task195");
  }

  @Test
  void aMissingFolderListsWhatIsThere() throws IOException {
    folder("one", 1, 1);
    folder("two", 1, 1);
    Files.createFile(root.resolve("README.md"));
    fails(
        data(List.of("one", "three"), 0, 0, 0),
        66,
        "three: no such task folder; there are one, two; data.missing=skip trains on one");
    fails(
        data(null, 1, 0, 0),
        66,
        "C-STANCE: no such task folder, nor FOMC, MeetingBank, Py150, ScienceQA, NumGLUE-cm, NumGLUE-ds, 20Minuten; there are one, two");
  }

  /** What a configuration has for each task goes with its task. */
  @Test
  void tasksThatAreMissingAreSkippedOnDemand() throws IOException {
    folder("FOMC", 1, 1);
    folder("NumGLUE-cm", 1, 1);
    var config =
        ConfigReader.parse(
            "",
            "test",
            List.of(
                "data.root=" + root,
                "data.order=1",
                "data.missing=skip",
                "train.epochs=[5,6,5,5,5,7,10,5]"));
    var atHand = TaskSequence.atHand(config.data());
    assertThat(atHand.names()).containsExactly("FOMC", "NumGLUE-cm");
    assertThat(atHand.note().orElseThrow())
        .contains(
            "without C-STANCE, MeetingBank, Py150, ScienceQA, NumGLUE-ds, 20Minuten: no such");
    RunConfig here = atHand.settings(config);
    assertThat(here.train().epochs()).hasToString("[6, 7]");
    assertThat(TaskSequence.load(here.data(), 1))
        .extracting(Task::name)
        .containsExactly("FOMC", "NumGLUE-cm");
    fails(Changed.of(config.data(), "order", 3), 66, "task1572: no such task folder, nor task363");
  }

  @Test
  void aRootWithoutFoldersSaysSo() {
    fails(data(List.of("a"), 0, 0, 0), 66, "there are no folders");
  }

  @Test
  void aMissingFileOfATaskIsInput() throws IOException {
    folder("a", 1, 1);
    Files.delete(root.resolve("a/test.json"));
    fails(data(List.of("a"), 0, 0, 0), 66, "a: no test split; expected test.json, ");
  }

  @Test
  void wrongSettingsAreConfig() {
    fails(data(null, 0, 0, 0), 78, "data.tasks: expected at least one task");
    fails(data(List.of(), 0, 0, 0), 78, "data.tasks: expected at least one task");
    fails(data(List.of("a", "b", "a"), 0, 0, 0), 78, "'a' is there twice");
    fails(data(List.of("a"), 3, 0, 0), 78, "found both (order 3)");
    fails(data(null, 5, 0, 0), 78, "data.order: expected 1 to 4, found 5");
    fails(data(null, -1, 0, 0), 78, "found -1");
    fails(data(Arrays.asList("a", null), 0, 0, 0), 78, "found none");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        ".",
        "..",
        ".a",
        "../a",
        "a/b",
        "/a",
        "a\\b",
        "a\0",
        "\n../a",
        "a\n",
        "../\n",
        "a\u0085b"
      })
  void aTaskIsOneFolder(String name) {
    fails(data(List.of(name), 0, 0, 0), 78, "expected the name of a folder");
  }

  @Test
  void theRootHasToBeThere() {
    var none = data(List.of("a"), 0, 0, 0);
    fails(Changed.of(none, "root", null), 78, "data.root");
    String missing = root.resolve("none").toString();
    fails(Changed.of(none, "root", missing), 66, "none: no such");
  }

  private static void fails(DataSettings data, int exit, String message) {
    assertThatThrownBy(() -> TaskSequence.load(data, 1))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(exit))
        .hasMessageContaining(message);
  }
}
