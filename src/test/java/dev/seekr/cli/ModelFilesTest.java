package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models as other programs write them: read, or refused in words, and never read as another. */
class ModelFilesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path NANO = Path.of("examples/nano");
  private static final String PROMPT = "Give the capital of the country. Input: France Output:";

  @TempDir Path folder;

  /** The small model with another config.json and tokenizer.json. */
  private Path model(String name, Consumer<ObjectNode> config, Consumer<ObjectNode> tokenizer)
      throws IOException {
    Path model = Files.createDirectory(folder.resolve(name));
    Files.copy(NANO.resolve("model.safetensors"), model.resolve("model.safetensors"));
    edit("config.json", model, config);
    edit("tokenizer.json", model, tokenizer);
    return model;
  }

  private static void edit(String file, Path model, Consumer<ObjectNode> change)
      throws IOException {
    var json = (ObjectNode) JSON.readTree(NANO.resolve(file).toFile());
    change.accept(json);
    Files.writeString(model.resolve(file), json.toString());
  }

  private Path model(String name, Consumer<ObjectNode> config) throws IOException {
    return model(name, config, t -> {});
  }

  private static CommandLineRun generate(Path model, String... more) {
    var words = new java.util.ArrayList<>(List.of("generate", model.toString(), PROMPT));
    if (!List.of(more).contains("--max-new-tokens"))
      words.addAll(List.of("--max-new-tokens", "24"));
    words.addAll(List.of(more));
    return CommandLineRun.of(words.toArray(String[]::new));
  }

  private static ObjectNode scaling() {
    return JSON.createObjectNode()
        .put("rope_type", "llama3")
        .put("factor", 8.0)
        .put("low_freq_factor", 1.0)
        .put("high_freq_factor", 4.0)
        .put("original_max_position_embeddings", 128);
  }

  /** Of both spellings, and of what is trained with either and saved. */
  @Test
  void theRotationOfEitherVersion() throws IOException {
    Path old = model("v4", c -> c.put("rope_theta", 500000.0).set("rope_scaling", scaling()));
    Path now =
        model(
            "v5",
            c -> {
              c.remove(List.of("rope_theta", "rope_scaling"));
              c.set("rope_parameters", scaling().put("rope_theta", 500000.0));
            });
    var expected = generate(old);
    assertThat(expected.code()).isZero();
    assertThat(generate(now).out())
        .isEqualTo(expected.out())
        .isNotEqualTo(generate(model("plain", c -> {})).out());
    Path out = folder.resolve("run");
    var run = Tiny.run("train", "model.path=" + now, "run.save_models=true", "run.out=" + out);
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode saved = JSON.readTree(out.resolve("models/02-task1687/config.json").toFile());
    assertThat(saved.path("rope_parameters").path("rope_theta").doubleValue()).isEqualTo(500000);
    assertThat(saved.path("rope_theta").doubleValue()).isEqualTo(500000);
    assertThat(saved.path("rope_scaling")).isEqualTo(scaling());
  }

  @Test
  void idsBeyondTheVocabulary() throws IOException {
    for (String name : List.of("bos_token_id", "eos_token_id", "pad_token_id")) {
      Path model = model(name, c -> c.put(name, 4096));
      Path out = folder.resolve("run");
      CommandLineRun[] runs = {
        generate(model), Tiny.run("train", "model.path=" + model, "run.out=" + out)
      };
      for (var run : runs) {
        assertThat(run.code()).isEqualTo(65);
        assertThat(run.err())
            .startsWith("seekr: %s/config.json: %s is 4096; expected ".formatted(model, name))
            .endsWith("to 4095\n");
      }
      assertThat(out).doesNotExist();
    }
  }

  @Test
  void anAddedTokenThatNoTextUses() throws IOException {
    Path model =
        model(
            "pad",
            c -> {},
            t -> {
              var added = (ArrayNode) t.path("added_tokens");
              added.add(
                  ((ObjectNode) added.get(0).deepCopy()).put("id", 4096).put("content", "[PAD]"));
            });
    assertThat(generate(model).out()).isEqualTo(generate(NANO).out());
    var used = CommandLineRun.of("generate", model.toString(), "a [PAD] b");
    assertThat(used.code()).isEqualTo(65);
    assertThat(used.err())
        .contains("a text has \"[PAD]\", whose id 4096 is beyond the model's 4096 rows");
  }

  /** Once, before anything is answered. */
  @Test
  void positionsBeyondThoseTheModelKnows() throws IOException {
    Path model = model("short", c -> c.put("max_position_embeddings", 32));
    var run = generate(model, "--max-new-tokens", "40");
    assertThat(run.code()).isZero();
    assertThat(run.err())
        .matches(
            "seekr: warning: a prompt and its answer may have \\d+ tokens; the model was made for 32"
                + " \\(max_position_embeddings\\)\n");
    assertThat(generate(NANO, "--max-new-tokens", "40").err()).isEmpty();
    String warning =
        "warning: a prompt and its answer may have 44 tokens; the model was made for 32";
    CommandLineRun[] runs = {
      Tiny.run("eval", "model.path=" + model, "eval.max_new_tokens=20"),
      Tiny.run(
          "train",
          "model.path=" + model,
          "eval.max_new_tokens=20",
          "run.out=" + folder.resolve("r"))
    };
    for (var each : runs) {
      assertThat(each.code()).as(each.err()).isZero();
      assertThat(each.out().lines().filter(line -> line.startsWith(warning))).hasSize(1);
    }
    assertThat(Tiny.run("eval", "model.path=" + model).out()).doesNotContain("warning");
  }

  /** Sequences that are trained on have answers too, where those that are answered fit. */
  @Test
  void positionsBeyondThoseTheModelKnowsInTraining() throws IOException {
    Path model = model("short", c -> c.put("max_position_embeddings", 25));
    String one = "eval.max_new_tokens=1", at = "model.path=" + model;
    assertThat(Tiny.run("eval", at, one).out()).doesNotContain("warning");
    var run = Tiny.run("train", at, one, "run.out=" + folder.resolve("r"));
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out().lines().filter(line -> line.contains("its longest sequence has")))
        .isNotEmpty()
        .allMatch(line -> line.contains("and the model knows 25 positions"));
    assertThat(run.out()).doesNotContain("warning");
  }

  /** A field that is not known ends every command, until it is ignored; then it is not saved. */
  @Test
  void aFieldThatIsNotKnown() throws IOException {
    Path model = model("strange", c -> c.put("residual_multiplier", 0.22));
    Path out = folder.resolve("run");
    String key = "model.ignore=[residual_multiplier]";
    CommandLineRun[] refused = {
      generate(model),
      Tiny.run("eval", "model.path=" + model),
      Tiny.run("train", "model.path=" + model, "run.out=" + out),
      CommandLineRun.of("plan", "model.path=" + model)
    };
    for (var run : refused) {
      assertThat(run.code()).isEqualTo(65);
      assertThat(run.err())
          .isEqualTo(
              "seekr: %s/config.json: residual_multiplier 0.22: not heeded here, so that results may"
                      .formatted(model)
                  + " not be the model's; where that is meant, model.ignore: [residual_multiplier]\n");
    }
    assertThat(generate(model, "--ignore", "residual_multiplier").out())
        .isEqualTo(generate(NANO).out());
    assertThat(Tiny.run("eval", "model.path=" + model, key).code()).isZero();
    assertThat(CommandLineRun.of("plan", "model.path=" + model, key).code()).isZero();
    var run =
        Tiny.run("train", "model.path=" + model, key, "run.save_models=true", "run.out=" + out);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(generate(out.resolve("models/02-task1687")).code()).isZero();
    var read = generate(model, "--ignore", "residual_multiplier,rope_theta");
    assertThat(read.code()).isEqualTo(78);
    assertThat(read.err()).startsWith("seekr: model.ignore: rope_theta is read of");
  }
}
