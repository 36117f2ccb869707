package dev.seekr.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.ModelFolder;
import dev.seekr.model.Weights;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.safetensors.TensorSource;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import dev.seekr.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models of scripts/make_checkpoints.py, with the tokenizer of scripts/make_sentencepiece.py. */
class ConversionTest {
  private static final Path FOLDER = TorchFileTest.FOLDER;
  private static final long GB = 1L << 30;
  private static final ObjectMapper JSON = new ObjectMapper();
  private final List<String> said = new ArrayList<>();
  @TempDir Path folder;
  private Path from, to;

  @BeforeEach
  void aModelWithoutWeights() throws IOException {
    from = Files.createDirectory(folder.resolve("from"));
    to = folder.resolve("to");
    Files.copy(FOLDER.resolve("config.json"), from.resolve("config.json"));
    Files.copy(FOLDER.resolve("sentencepiece/tokenizer.model"), from.resolve("tokenizer.model"));
    Files.writeString(from.resolve("generation_config.json"), "{\"eos_token_id\": 2}");
  }

  private void weights(Path file, String name) throws IOException {
    Files.copy(file, from.resolve(name));
  }

  private Path bin(String name) {
    return FOLDER.resolve("bin/" + name + ".bin");
  }

  private void convert(Path source, Path base, DType as, long shard) {
    new Conversion(source, to, base, as, shard).run(said::add);
  }

  /** The result loads, and its tensors are those of a file. */
  private void assertMade(Path expected, double tolerance) {
    Tokenizer.load(to).close();
    try (var memory = new Memory("test");
        var wanted = TensorSource.open(expected)) {
      var ops = new ReferenceOps(DType.F32);
      var weights = new Weights(LlamaConfig.read(to), ops, memory, "weights");
      ModelFolder.load(to, weights, ops);
      assertThat(weights.byName().keySet()).containsExactlyInAnyOrderElementsOf(wanted.names());
      weights
          .byName()
          .forEach(
              (name, tensor) ->
                  assertThat(tensor.toDoubles())
                      .as(name)
                      .containsExactly(wanted.get(name).toDoubles(), within(tolerance)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"f32", "f16", "f64", "protocol5", "strided", "parameters", "wrapped"})
  void everyFormOfAModelBecomesTheSameModel(String name) throws IOException {
    weights(bin(name), "pytorch_model.bin");
    convert(from, null, null, GB);
    assertMade(FOLDER.resolve("model.safetensors"), 0);
    assertThat(to).isDirectoryNotContaining("glob:**.bin");
    for (String file : List.of("config.json", "generation_config.json", "tokenizer.model"))
      assertThat(to.resolve(file)).hasSameBinaryContentAs(from.resolve(file));
    try (var made = TensorSource.open(to)) {
      DType type = name.equals("f16") ? DType.F16 : name.equals("f64") ? DType.F64 : DType.F32;
      for (String tensor : made.names()) assertThat(made.type(tensor)).isEqualTo(type);
    }
    if (name.equals("wrapped"))
      assertThat(said)
          .contains(
              "12 names are those of a wrapper: module._orig_mod.model.embed_tokens.weight is"
                  + " model.embed_tokens.weight now. 1 tensors follow from config.json and are"
                  + " left out.");
  }

  @Test
  void aFileIsConvertedWithWhatLiesBesideIt() throws IOException {
    weights(bin("f32"), "strange.bin");
    convert(from.resolve("strange.bin"), null, null, GB);
    assertMade(FOLDER.resolve("model.safetensors"), 0);
  }

  @Test
  void shardsAreReadAndMade() throws IOException {
    for (String file :
        List.of(
            "pytorch_model-00001-of-00002.bin",
            "pytorch_model-00002-of-00002.bin",
            "pytorch_model.bin.index.json")) weights(FOLDER.resolve("sharded/" + file), file);
    convert(from, null, DType.F32, 1500);
    assertMade(FOLDER.resolve("model.safetensors"), 0.01);
    assertThat(to.resolve("model.safetensors")).doesNotExist();
    var index = JSON.readTree(to.resolve("model.safetensors.index.json").toFile());
    assertThat(index.path("weight_map").path("model.embed_tokens.weight").textValue())
        .isEqualTo("model-00001-of-00003.safetensors");
    assertThat(index.path("metadata").path("total_size").longValue()).isEqualTo(4 * 888);
    assertThat(JSON.readTree(to.resolve("config.json").toFile()).path("torch_dtype").textValue())
        .isEqualTo("float32");
    from = to;
    to = folder.resolve("again");
    convert(from, null, DType.BF16, GB);
    assertMade(FOLDER.resolve("model.safetensors"), 0.01);
    assertThat(JSON.readTree(to.resolve("config.json").toFile()).path("torch_dtype").textValue())
        .isEqualTo("bfloat16");
  }

  @Test
  void numbersThatATypeCannotHoldAreRefused() throws IOException {
    var tensors = new LinkedHashMap<String, Tensor>();
    try (var source = TensorSource.open(FOLDER)) {
      for (String name : source.names())
        tensors.put("module." + name, Tensor.of(source.get(name).toFloats(), source.shape(name)));
    }
    tensors.get("module.model.norm.weight").set(3, 1e30);
    Disk.write(from.resolve("model.safetensors"), SafetensorsWriter.content(tensors));
    assertRefused(78, from, null, DType.F16, "model.norm.weight holds 1.0000000150474662E30");
    convert(from, null, DType.BF16, GB);
    from = to;
    to = folder.resolve("again");
    assertRefused(78, from, null, DType.F16, "too large for f16");
  }

  /** A model saved without its output layer, and tied to its embedding. */
  @Test
  void namesWithoutTheirBeginningAreKnown() throws IOException {
    var tensors = new LinkedHashMap<String, Tensor>();
    try (var source = TensorSource.open(FOLDER)) {
      for (String name : source.names())
        if (name.startsWith("model."))
          tensors.put(
              name.substring(6), Tensor.of(source.get(name).toFloats(), source.shape(name)));
    }
    Disk.write(from.resolve("model.safetensors"), SafetensorsWriter.content(tensors));
    assertRefused(65, from, null, null, "lm_head.weight is missing");
    edit("tie_word_embeddings", true);
    convert(from, null, null, GB);
    try (var made = TensorSource.open(to)) {
      assertThat(made.names()).hasSize(11).allMatch(name -> name.startsWith("model."));
    }
  }

  private void edit(String field, boolean value) throws IOException {
    var file = from.resolve("config.json").toFile();
    JSON.writeValue(file, ((ObjectNode) JSON.readTree(file)).put(field, value));
  }

  @Test
  void anEmptyFolderIsTakenAndNoOther() throws IOException {
    weights(bin("f32"), "pytorch_model.bin");
    Path hidden = Files.createDirectory(to).resolve(".hidden");
    Files.createFile(hidden);
    assertRefused(73, from, null, null, "is there already");
    assertThat(hidden).exists();
    Files.delete(hidden);
    convert(from, null, null, GB);
    assertMade(FOLDER.resolve("model.safetensors"), 0);
  }

  @Test
  void anIndexThatNamesItselfIsRefused() throws IOException {
    String index = "pytorch_model.bin.index.json";
    Files.writeString(
        from.resolve(index), "{\"weight_map\": {\"lm_head.weight\": \"%s\"}}".formatted(index));
    assertRefused(65, from, null, null, "expected a zip, as PyTorch writes it");
  }

  @Test
  void twoTensorsOfOneNameAreRefused() throws IOException {
    Tensor one = Tensor.of(new float[2]);
    Disk.write(
        from.resolve("model.safetensors"),
        SafetensorsWriter.content(Map.of("a", one, "module.a", one)));
    assertRefused(65, from, null, null, "are both a without what a wrapper put to the name");
  }

  @ParameterizedTest
  @CsvSource({"plain", "patterns", "saved"})
  void adaptersAreMergedAsPeftMergesThem(String name) throws IOException {
    weights(bin("f32"), "pytorch_model.bin");
    Path adapter = FOLDER.resolve("adapters/" + name);
    convert(adapter, from, null, GB);
    assertMade(adapter.resolve("merged.safetensors"), 1e-6);
    try (var merged = TensorSource.open(adapter.resolve("merged.safetensors"));
        var model = TensorSource.open(FOLDER)) {
      assertThat(merged.names())
          .as("tensors that the adapter changes")
          .anyMatch(n -> !close(merged.get(n).toDoubles(), model.get(n).toDoubles()));
    }
  }

  private static boolean close(double[] a, double[] b) {
    double most = 0;
    for (int i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
    return most < 0.1;
  }

  @Test
  void aBaseIsFoundByItsPath() throws IOException {
    weights(bin("f32"), "pytorch_model.bin");
    Path adapter = adapter("\"base_model_name_or_path\": \"../from\"");
    convert(adapter, null, null, GB);
    assertMade(FOLDER.resolve("adapters/plain/merged.safetensors"), 1e-6);
    assertRefused(73, adapter, null, null, "is there already");
    to = folder.resolve("other");
    assertRefused(
        66,
        adapter("\"base_model_name_or_path\": \"someone/model\""),
        null,
        null,
        "its model is 'someone/model', which is no folder here; give the model's folder with"
            + " --base");
    assertRefused(66, adapter("\"revision\": null"), null, null, "names no model");
  }

  /** The plain adapter with a field more; of those it has, r and lora_alpha. */
  private Path adapter(String field) throws IOException {
    Path adapter = folder.resolve("adapter");
    Files.createDirectories(adapter);
    Files.write(
        adapter.resolve("adapter_model.safetensors"),
        Files.readAllBytes(FOLDER.resolve("adapters/plain/adapter_model.safetensors")));
    Files.writeString(
        adapter.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 8, %s}".formatted(field));
    return adapter;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"use_dora\": true | use_dora is true; expected none",
        "\"layer_replication\": [[0, 1]] | layer_replication",
        "\"alora_invocation_tokens\": [1] | alora_invocation_tokens",
        "\"trainable_token_indices\": [1] | trainable_token_indices",
        "\"lora_bias\": true | lora_bias",
        "\"of_the_future\": 1 | of_the_future is 1; expected none: it is not known",
        "\"init_lora_weights\": \"pissa\" | init_lora_weights",
        "\"init_lora_weights\": \"loftq\" | init_lora_weights",
        "\"rank_pattern\": {\".*q\": 1} | names of modules, not regular expressions",
        "\"rank_pattern\": {\"q_proj\": 3} | of rank 3 they do not fit the model's [8, 8]",
        "\"rank_pattern\": {\"q_proj\": 2.5} | whole numbers from 1 to 65536",
        "\"alpha_pattern\": {\"q_proj\": \"x\"} | expected a finite number"
      })
  void fieldsThatAreNotUnderstoodAreRefused(String field, String message) throws IOException {
    weights(bin("f32"), "pytorch_model.bin");
    assertRefused(65, adapter(field), from, null, message);
  }

  @Test
  void otherAdaptersAreRefused() throws IOException {
    weights(bin("f32"), "pytorch_model.bin");
    assertRefused(65, FOLDER.resolve("adapters/dora"), from, null, "use_dora is true");
    edit("tie_word_embeddings", true);
    assertRefused(
        65, FOLDER.resolve("adapters/saved"), from, null, "which the model ties to another");
    Path adapter = adapter("\"bias\": \"none\"");
    Tensor some = Tensor.of(new float[16], 2, 8);
    String at = "base_model.model.model.layers.0.";
    for (var tensors :
        Map.of(
                Map.of(at + "self_attn.q_proj.lora_A.weight", some), "has no lora_B to it",
                Map.of(at + "self_attn.q_proj.bias", some), "neither a low-rank adapter nor",
                Map.of(at + "self_attn.q_proj.weight", some), "is [2, 8]; the model's is [8, 8]",
                Map.of("x.lora_A.weight", some, "x.lora_B.weight", some), "does not have")
            .entrySet()) {
      Disk.write(
          adapter.resolve("adapter_model.safetensors"),
          SafetensorsWriter.content(tensors.getKey()));
      assertRefused(65, adapter, from, null, tensors.getValue());
    }
    Files.writeString(adapter.resolve("adapter_config.json"), "{\"peft_type\": \"IA3\"}");
    assertRefused(65, adapter, from, null, "peft_type is \"IA3\"");
  }

  @Test
  void whatDoesNotFitTheConfigIsRefusedBeforeAnythingIsWritten() throws IOException {
    assertRefused(
        66, from, null, null, "expected model.safetensors, pytorch_model.bin or an index");
    assertRefused(66, folder.resolve("none"), null, null, "no such file or folder");
    weights(bin("int8"), "pytorch_model.bin");
    assertRefused(65, from, null, null, "is of torch.CharStorage");
    Files.delete(from.resolve("pytorch_model.bin"));
    weights(bin("whole"), "pytorch_model.bin");
    assertRefused(65, from, null, null, "asks for transformers.models.llama");
    Files.delete(from.resolve("pytorch_model.bin"));
    weights(bin("f32"), "pytorch_model.bin");
    assertRefused(66, from, from, null, "--base is for adapters");
    Files.delete(from.resolve("tokenizer.model"));
    assertRefused(66, from, null, null, "expected tokenizer.json or tokenizer.model");
    Files.writeString(from.resolve("tokenizer.json"), "{}");
    assertRefused(65, from, null, null, "tokenizer.json");
  }

  @Test
  void folderOfOtherFormsSayWhatToDo() throws IOException {
    for (String file : List.of("consolidated.00.pth", "model.Q4.gguf")) {
      Path other = Files.createDirectory(folder.resolve(file + "-folder"));
      Files.createFile(other.resolve(file));
      assertThatThrownBy(() -> LlamaConfig.read(other))
          .isInstanceOf(Failure.class)
          .hasMessageContaining("'./seekr convert'");
      Files.copy(from.resolve("config.json"), other.resolve("config.json"));
      assertThatThrownBy(() -> TensorSource.open(other))
          .isInstanceOf(Failure.class)
          .hasMessageContaining("'./seekr convert'");
      assertRefused(66, other, null, null, "which './seekr convert' reads");
      assertRefused(66, other.resolve(file), null, null, "is not read");
    }
    assertThatThrownBy(() -> LlamaConfig.read(FOLDER.resolve("adapters/plain")))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("./seekr convert " + FOLDER.resolve("adapters/plain"))
        .hasMessageContaining("--base MODEL");
  }

  @Test
  void loadingNamesThePrefixOfAWrapper() throws IOException {
    var tensors = new LinkedHashMap<String, Tensor>();
    try (var source = TensorSource.open(FOLDER)) {
      for (String name : source.names())
        tensors.put(
            "_orig_mod." + name, Tensor.of(source.get(name).toFloats(), source.shape(name)));
    }
    Disk.write(from.resolve("model.safetensors"), SafetensorsWriter.content(tensors));
    try (var memory = new Memory("test")) {
      var ops = new ReferenceOps(DType.F32);
      var weights = new Weights(LlamaConfig.read(from), ops, memory, "weights");
      assertThatThrownBy(() -> ModelFolder.load(from, weights, ops))
          .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
          .hasMessageContaining("every name has the prefix '_orig_mod.'")
          .hasMessageContaining("'./seekr convert " + from + " OUT' takes it off");
    }
    convert(from, null, null, GB);
    assertMade(FOLDER.resolve("model.safetensors"), 0);
  }

  private void assertRefused(int exit, Path source, Path base, DType as, String message) {
    boolean before = Files.exists(to);
    assertThatThrownBy(() -> convert(source, base, as, GB))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(exit))
        .hasMessageContaining(message);
    if (!before) assertThat(to).doesNotExist();
    assertThat(folder).isDirectoryNotContaining(p -> p.getFileName().toString().endsWith(".part"));
  }
}
