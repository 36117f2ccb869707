package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Figure 1 of the paper: the final model with the attention of an old one. */
class EvalGraftTest {
  private static final Path NANO = Path.of("examples/nano");

  @TempDir static Path folder;
  private static Path run, first, last;
  private int evals;

  @BeforeAll
  static void train() {
    run = folder.resolve("run");
    var trained =
        Tiny.run(
            "train",
            "run.out=" + run,
            "run.save_models=true",
            "method.name=seekr",
            "method.replay_samples=2",
            "method.seekr.heads=2",
            "train.lr=1e-2");
    assertThat(trained.code()).as(trained.err()).isZero();
    first = run.resolve("models/01-task363");
    last = run.resolve("models/02-task1687");
  }

  private static CommandLineRun eval(Object... more) {
    var words = new ArrayList<Object>(List.of("model.path=" + last, "data.test_limit=4"));
    words.add("eval.max_new_tokens=8");
    words.addAll(List.of(more));
    return Tiny.run("eval", words.toArray());
  }

  /** Answers to both tasks, as they are written. */
  private String answers(Object... more) throws IOException {
    Path out = folder.resolve("eval" + evals++);
    var words = new ArrayList<Object>(List.of("--out", out));
    words.addAll(List.of(more));
    var eval = eval(words.toArray());
    assertThat(eval.code()).as(eval.err()).isZero();
    return Files.readString(out.resolve("predictions/task363.jsonl"))
        + Files.readString(out.resolve("predictions/task1687.jsonl"));
  }

  @Test
  void answersChangeWithTheGraftAlone() throws IOException {
    String own = answers();
    assertThat(answers("--graft", last)).isEqualTo(own);
    String grafted = answers("--graft", NANO), other = answers("model.path=" + NANO);
    assertThat(grafted).isNotEqualTo(own).isNotEqualTo(other);
    Path heads = run.resolve("importance/02.csv");
    String some = answers("--graft", NANO, "--graft-heads", heads);
    assertThat(some).isNotEqualTo(grafted);
  }

  @Test
  void whoseAttentionItIsIsSaid() throws IOException {
    Path heads = run.resolve("importance/02.csv");
    assertThat(eval("--graft", first).out()).contains("attention: of " + first + ", all heads\n");
    var json = eval("--graft", first, "--graft-heads", heads, "--json").out();
    assertThat(new ObjectMapper().readTree(json).path("attention").textValue())
        .isEqualTo(first + ", 2 heads selected in " + heads);
    assertThat(new ObjectMapper().readTree(eval("--json").out()).has("attention")).isFalse();
  }

  /** The same score as grafting by hand; what it gains is a column of every table of runs. */
  @Test
  void aRunIsGraftedWithItsOwnModels() throws IOException {
    var grafted = CommandLineRun.of("graft", run.toString(), "run.threads=1", "--json");
    assertThat(grafted.code()).as(grafted.err()).isZero();
    var byHand = Tiny.run("eval", "model.path=" + last, "--graft", first, "--json");
    double score = read(byHand.out()).at("/tasks/0/score").doubleValue();
    var file = read(Files.readString(run.resolve("grafted.json")));
    assertThat(file.properties()).hasSize(1);
    assertThat(file.path("task363").doubleValue()).isEqualTo(score);
    var scores = read(Files.readString(run.resolve("scores.json"))).path("scores");
    double gain = score - scores.at("/1/0").doubleValue();
    var json = read(grafted.out());
    assertThat(json.at("/learnt/task363")).isEqualTo(scores.at("/0/0"));
    assertThat(json.at("/end/task363")).isEqualTo(scores.at("/1/0"));
    assertThat(json.at("/grafted/task363").doubleValue()).isEqualTo(score);
    assertThat(json.path("gain").doubleValue()).isEqualTo(gain);

    assertThat(CommandLineRun.of("graft", run.toString()).out())
        .contains("mean gain: %.2f".formatted(gain));
    Path thin = folder.resolve("thin");
    CommandLineRun.of("thin", run.toString(), "--out", thin.toString());
    var summary = CommandLineRun.of("summary", thin.toString(), "--columns", "graft_gain");
    assertThat(summary.out())
        .contains("graft gain")
        .containsPattern("seekr +1 +%.2f".formatted(gain));
  }

  private static JsonNode read(String json) throws IOException {
    return new ObjectMapper().readTree(json);
  }

  @Test
  void runsThatCannotBeGrafted() throws IOException {
    graftFails(64, "data.test_limit=1: expected settings of run alone", run, "data.test_limit=1");
    graftFails(66, "none/log.jsonl: no such file", folder.resolve("none"));
    graftFails(78, "has one model", Path.of("docs/results/nano/mtl-1"));
    graftFails(
        66,
        "needs the models that run.save_models=true keeps",
        Path.of("docs/results/nano/seekr-1"));
  }

  private static void graftFails(int code, String message, Path run, String... settings) {
    var words = new ArrayList<String>(List.of("graft", run.toString()));
    words.addAll(List.of(settings));
    var graft = CommandLineRun.of(words.toArray(String[]::new));
    assertThat(graft.err()).contains(message);
    assertThat(graft.code()).isEqualTo(code);
  }

  /** A copy of the example with a line of a file changed. */
  private Path changed(String name, String file, String from, String to) throws IOException {
    Path copy = Files.createDirectories(folder.resolve(name));
    for (Path each : Files.list(NANO).filter(Files::isRegularFile).toList())
      Files.copy(each, copy.resolve(each.getFileName()));
    String text = Files.readString(copy.resolve(file));
    assertThat(text).contains(from);
    Files.writeString(copy.resolve(file), text.replace(from, to));
    return copy;
  }

  private static void fails(int code, String message, Object... more) {
    var eval = eval(more);
    assertThat(eval.err()).contains(message);
    assertThat(eval.code()).isEqualTo(code);
    assertThat(eval.err().lines().filter(line -> line.startsWith("seekr: "))).hasSize(1);
  }

  @Test
  void whatDoesNotFitIsRefused() throws IOException {
    Path layers =
        changed("layers", "config.json", "\"num_hidden_layers\": 4", "\"num_hidden_layers\": 3");
    fails(
        78, layers + ": cannot be grafted onto " + last + ": layers: 3, not 4;", "--graft", layers);
    Path tokens = changed("tokens", "tokenizer.json", "{\"version\"", "{ \"version\"");
    fails(78, "is not the tokenizer.json of " + last, "--graft", tokens);
    fails(66, "none", "--graft", folder.resolve("none"));
    Path table = folder.resolve("heads.csv");
    Files.writeString(table, "layer,head,selected\n0,0,1\n0,1,0\n");
    fails(65, table + ": is of 1 layers of 2 heads", "--graft", first, "--graft-heads", table);
    Path none = folder.resolve("none.csv");
    String selected = Files.readString(run.resolve("importance/02.csv"));
    Files.writeString(none, selected.replaceAll(",1\n", ",0\n"));
    fails(65, none + ": selects no head", "--graft", first, "--graft-heads", none);
    fails(64, "--graft-heads needs --graft", "--graft-heads", table);
    fails(64, "--graft does not go with --general", "--general", "x", "--graft", first);
  }
}
