package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.disk.Disk;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelFolderTest {
  private final Ops ops = new ReferenceOps(DType.F32);
  private final Memory memory = new Memory("test");
  @TempDir Path folder;

  @AfterEach
  void free() {
    memory.close();
  }

  private Weights random(boolean tied) {
    var config = TinyModel.config(13, 8, 12, 2, 2, 1, 4, tied);
    var weights = new Weights(config, ops, memory, "weights");
    weights.randomize(new SplittableRandom(1));
    return weights;
  }

  @ParameterizedTest
  @CsvSource({"F32,true", "F32,false", "BF16,true", "F16,false"})
  void whatIsSavedLoadsAgain(DType as, boolean tied) {
    Weights saved = random(tied);
    Path model = folder.resolve("model");
    ModelFolder.save(
        model, folder, new LlamaModel(saved.config, saved, ops, Recompute.none), as, null);
    var config = LlamaConfig.read(model);
    assertThat(config.parameters()).isEqualTo(saved.config.parameters());
    var loaded = new Weights(config, ops, memory, "loaded");
    ModelFolder.load(model, loaded, ops);
    saved
        .byName()
        .forEach(
            (name, w) -> {
              Tensor rounded = memory.allocate("rounded", as, w.shape());
              rounded.copyFrom(w);
              assertThat(loaded.byName().get(name).toDoubles())
                  .as(name)
                  .isEqualTo(rounded.toDoubles());
            });
    assertThat(folder)
        .isDirectoryContaining(p -> p.equals(model))
        .isDirectoryNotContaining(p -> !p.equals(model));
  }

  /** Files of other programs are handed on as they are: nothing here reads them. */
  @Test
  void otherFilesOfTheFolderAreHandedOn() throws IOException {
    byte[] bytes = {'{', 0, (byte) 0xff, '\r', '\n'};
    var names =
        List.of(
            "tokenizer_config.json",
            "special_tokens_map.json",
            "generation_config.json",
            "chat_template.jinja");
    for (String name : names) Files.write(folder.resolve(name), bytes);
    Files.write(folder.resolve("tokenizer.json"), new byte[0]);
    Files.write(folder.resolve("other.json"), bytes);
    Path model = folder.resolve("model");
    Weights weights = random(true);
    ModelFolder.save(
        model,
        folder,
        new LlamaModel(weights.config, weights, ops, Recompute.none),
        DType.F32,
        null);
    for (String name : names) assertThat(model.resolve(name)).hasBinaryContent(bytes);
    assertThat(model.resolve("tokenizer.json")).isEmptyFile();
    assertThat(model.resolve("other.json")).doesNotExist();
  }

  @Test
  void everyTensorThatDoesNotFitIsNamed() {
    Map<String, Tensor> tensors = new LinkedHashMap<>(random(false).byName());
    tensors.remove("model.norm.weight");
    tensors.put("lm_head.weight", Tensor.of(new float[13 * 7], 13, 7));
    tensors.put("model.layers.0.self_attn.q_proj.bias", Tensor.of(new float[8]));
    Path file = folder.resolve("model.safetensors");
    Disk.write(file, SafetensorsWriter.content(tensors));
    Weights into = random(false);
    double[] before = into.flat().toDoubles();
    assertThatThrownBy(() -> ModelFolder.load(file, into, ops))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageContaining("model.norm.weight is missing; expected [8]")
        .hasMessageContaining("lm_head.weight is [13, 7]; config.json asks for [13, 8]")
        .hasMessageContaining("q_proj.bias is not a tensor of this LLaMA");
    assertThat(into.flat().toDoubles()).isEqualTo(before);
  }

  @Test
  void missingConfigIsNamed() {
    assertThatThrownBy(() -> LlamaConfig.read(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(66))
        .hasMessageContaining("config.json: no such file");
  }

  @Test
  void unsupportedModelsAreRefused() throws Exception {
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"gemma2\"}");
    assertThatThrownBy(() -> LlamaConfig.read(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageContaining("model_type is \"gemma2\"; expected one of llama, ");
  }
}
