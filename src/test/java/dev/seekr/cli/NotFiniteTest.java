package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.report.RunLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** NaN and infinities are found where they come in, and never saved. */
class NotFiniteTest {
  @TempDir Path folder;

  /** The small model with one number that is none. */
  private Path model(String tensor, int bits) throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    for (String file : List.of("config.json", "tokenizer.json", "model.safetensors"))
      Files.copy(Path.of("examples/nano", file), model.resolve(file));
    Path file = model.resolve("model.safetensors");
    var bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int header = (int) bytes.getLong(0);
    var json = new ObjectMapper().readTree(bytes.array(), 8, header);
    assertThat(json.path(tensor).path("dtype").asText()).isEqualTo("BF16");
    bytes.putShort(
        8 + header + json.path(tensor).path("data_offsets").get(1).intValue() - 2, (short) bits);
    Files.write(file, bytes.array());
    return model;
  }

  @ParameterizedTest
  @CsvSource({
    "model.norm.weight, 0x7fc0",
    "model.layers.3.mlp.down_proj.weight, 0xff80",
    "model.embed_tokens.weight, 0x7f80"
  })
  void aModelWithANumberThatIsNone(String tensor, String bits) throws IOException {
    Path model = model(tensor, Integer.decode(bits));
    Path out = folder.resolve("run");
    CommandLineRun[] runs = {
      CommandLineRun.of("generate", model.toString(), "Hello", "--max-new-tokens", "1"),
      Tiny.run("eval", "model.path=" + model),
      Tiny.run("train", "model.path=" + model, "run.out=" + out)
    };
    for (var run : runs) {
      assertThat(run.code()).isEqualTo(65);
      assertThat(run.err())
          .isEqualTo(
              "seekr: %s: %s holds NaN or an infinity; a model of such numbers answers nothing\n",
              model, tensor);
      assertThat(run.out()).doesNotContain("OP ");
    }
    assertThat(out).doesNotExist();
  }

  /** By the very last step of a task, whose loss was finite still. */
  @Test
  void weightsThatAreNoneAfterTheLastStep() {
    Path out = folder.resolve("run");
    var run =
        Tiny.run(
            "train",
            "data.tasks=[task363]",
            "train.batch=4",
            "train.lr=1e38",
            "train.weight_decay=100",
            "train.schedule=constant",
            "run.save_models=true",
            "run.out=" + out);
    assertThat(run.code()).isEqualTo(78);
    assertThat(run.err().lines().filter(line -> line.startsWith("seekr: ")).toList())
        .singleElement()
        .asString()
        .matches(
            "seekr: after step 1, model.* holds NaN or an infinity; a smaller train.lr may help");
    assertThat(out.resolve("models")).doesNotExist();
    assertThat(out.resolve("scores.json")).doesNotExist();
    assertThat(RunLog.last(RunLog.read(out.resolve("log.jsonl")), "end")).isEmpty();
  }

  /** What a narrow type cannot hold is not saved as infinities. */
  @Test
  void weightsThatDoNotFitTheSavedType() {
    Path out = folder.resolve("run");
    var run =
        Tiny.run(
            "train",
            "data.tasks=[task363]",
            "train.batch=4",
            "train.lr=1e5",
            "train.schedule=constant",
            "run.save_models=true",
            "model.save=f16",
            "run.out=" + out);
    assertThat(run.code()).isEqualTo(78);
    assertThat(run.err().lines().filter(line -> line.startsWith("seekr: ")).toList())
        .singleElement()
        .asString()
        .contains("too large for f16; save as f32 or bf16 (model.save");
    assertThat(out.resolve("models/01-task363")).doesNotExist();
  }
}
