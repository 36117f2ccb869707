package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

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
