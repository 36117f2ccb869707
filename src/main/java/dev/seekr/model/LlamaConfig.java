package dev.seekr.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import dev.seekr.disk.Fields;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.OtherFormats;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Shape of a LLaMA, as Hugging Face's config.json states it.
 *
 * @param V vocabulary, C channels, F feed-forward width, L layers
 * @param heads query heads, key-value heads and head size
 * @param eps of the RMS norms
 * @param tied the output layer is the embedding
 * @param bos begin-of-sequence id, or -1
 * @param eos end-of-sequence ids; the first one ends training sequences
 * @param forms of each layer
 * @param json the file itself, written again when a model is saved
 */
public record LlamaConfig(
    int V,
    int C,
    int F,
    int L,
    Ops.Heads heads,
    float eps,
    Rope rope,
    int maxPositions,
    boolean tied,
    int bos,
    List<Integer> eos,
    List<LayerForm> forms,
    JsonNode json) {

  /** No model is larger, and no size computed from these overflows. */
  static final int MOST_TOKENS = 1 << 24;

  private static final int WIDEST = 1 << 20, MOST_LAYERS = 10_000;

  /**
   * Reads config.json of a model folder. Throws Failure: missing (66), malformed or not a supported
   * LLaMA (65).
   */
  public static LlamaConfig read(Path folder) {
    Path file = folder.resolve("config.json");
    if (!Files.isRegularFile(file)) {
      throw Failure.input(
          "%s: no such file; a model folder holds config.json, tokenizer.json and safetensors%s",
          file, OtherFormats.hint(folder));
    }
    return parse(Fields.read(file));
  }

  static LlamaConfig parse(Fields fields) {
    expect(fields, "model_type", "llama");
    expect(fields, "hidden_act", "silu");
    for (String bias : new String[] {"attention_bias", "mlp_bias"}) {
      if (fields.flag(bias, false))
        throw fields.wrong(bias, "false: models with biases are not supported");
    }
    int C = fields.whole("hidden_size", 1, WIDEST);
    int NH = fields.whole("num_attention_heads", 1, WIDEST);
    int NKV = fields.whole("num_key_value_heads", 1, WIDEST, NH);
    if (!fields.has("head_dim") && C % NH != 0)
      throw fields.wrong(
          "hidden_size", "a multiple of num_attention_heads %d, or head_dim".formatted(NH));
    int HS = fields.whole("head_dim", 1, WIDEST, Math.max(1, C / NH));
    if (NH % NKV != 0)
      throw fields.wrong("num_attention_heads", "a multiple of num_key_value_heads " + NKV);
    if (HS % 2 != 0) throw fields.wrong("head_dim", "an even number: rotary embedding needs pairs");
    if ((NH + 2L * NKV) * HS > 8L * WIDEST)
      throw fields.wrong(
          "num_attention_heads", "heads of at most %d channels together".formatted(8 * WIDEST));
    int V = fields.whole("vocab_size", 1, MOST_TOKENS);
    int L = fields.whole("num_hidden_layers", 1, MOST_LAYERS);
    return new LlamaConfig(
        V,
        C,
        fields.whole("intermediate_size", 1, 8 * WIDEST),
        L,
        new Ops.Heads(NH, NKV, HS),
        (float) fields.positive("rms_norm_eps", 1e-6),
        Rope.parse(fields, HS),
        fields.whole("max_position_embeddings", 1, MOST_TOKENS, 2048),
        fields.flag("tie_word_embeddings", false),
        fields.whole("bos_token_id", 0, V - 1, -1),
        eosIds(fields, V),
        Collections.nCopies(L, LayerForm.LLAMA),
        fields.json());
  }

  private static List<Integer> eosIds(Fields fields, int V) {
    if (!fields.has("eos_token_id")) return List.of();
    return Arrays.stream(fields.wholes("eos_token_id", 0, V - 1)).boxed().toList();
  }

  private static void expect(Fields fields, String name, String value) {
    if (fields.has(name) && !fields.text(name).equals(value))
      throw fields.wrong(name, "\"" + value + "\", which alone is supported");
  }

  /** The same model, with layers of other forms. */
  LlamaConfig with(List<LayerForm> others) {
    return new LlamaConfig(
        V, C, F, L, heads, eps, rope, maxPositions, tied, bos, eos, List.copyOf(others), json);
  }

  /** Of layer l, from 0. */
  public LayerForm form(int l) {
    return forms.get(l);
  }

  /** Number of weights, a tied output layer counted once. */
  public long parameters() {
    long each =
        (long) C * heads.qkvWidth() + (long) C * heads.NH() * heads.HS() + 3L * C * F + 2L * C;
    long more = 0;
    for (LayerForm form : forms) {
      if (form.qkvBias()) more += heads.qkvWidth();
      if (form.qkNorm()) more += 2L * heads.HS();
    }
    return (tied ? 1L : 2L) * V * C + L * each + more + C;
  }
}
