package dev.seekr.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.ops.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
    JsonNode json) {

  /**
   * Reads config.json of a model folder. Throws Failure: missing (66), malformed or not a supported
   * LLaMA (65).
   */
  public static LlamaConfig read(Path folder) {
    Path file = folder.resolve("config.json");
    if (!Files.isRegularFile(file)) {
      throw Failure.input(
          "%s: no such file; a model folder holds config.json, tokenizer.json and safetensors",
          file);
    }
    try {
      return parse(new ObjectMapper().readTree(Files.readString(file)), file.toString());
    } catch (JsonProcessingException e) {
      throw Failure.data("%s: not JSON: %s", file, e.getOriginalMessage());
    } catch (IOException e) {
      throw Failure.input("%s: cannot be read: %s", file, e);
    }
  }

  static LlamaConfig parse(JsonNode json, String where) {
    if (!json.isObject()) throw Failure.data("%s: expected an object", where);
    var fields = new Fields(json, where);
    fields.expect("model_type", "llama");
    fields.expect("hidden_act", "silu");
    fields.expectFalse("attention_bias");
    fields.expectFalse("mlp_bias");
    int C = fields.positive("hidden_size", null);
    int NH = fields.positive("num_attention_heads", null);
    int NKV = fields.positive("num_key_value_heads", NH);
    if (!json.hasNonNull("head_dim") && C % NH != 0) {
      throw Failure.data(
          "%s: hidden_size %d is no multiple of num_attention_heads %d, and head_dim is not set",
          where, C, NH);
    }
    int HS = fields.positive("head_dim", Math.max(1, C / NH));
    if (NH % NKV != 0)
      throw Failure.data(
          "%s: num_attention_heads %d is no multiple of num_key_value_heads %d", where, NH, NKV);
    if (HS % 2 != 0)
      throw Failure.data("%s: head_dim %d is odd; rotary embedding needs pairs", where, HS);
    return new LlamaConfig(
        fields.positive("vocab_size", null),
        C,
        fields.positive("intermediate_size", null),
        fields.positive("num_hidden_layers", null),
        new Ops.Heads(NH, NKV, HS),
        (float) fields.number("rms_norm_eps", 1e-6),
        Rope.parse(json, HS, where),
        fields.positive("max_position_embeddings", 2048),
        json.path("tie_word_embeddings").asBoolean(false),
        json.path("bos_token_id").asInt(-1),
        eosIds(json.path("eos_token_id")),
        json);
  }

  private static List<Integer> eosIds(JsonNode node) {
    var ids = new ArrayList<Integer>();
    if (node.isArray()) node.forEach(n -> ids.add(n.asInt()));
    else if (node.isInt()) ids.add(node.asInt());
    return List.copyOf(ids);
  }

  /** Number of weights, a tied output layer counted once. */
  public long parameters() {
    long layer =
        (long) C * heads.qkvWidth() + (long) C * heads.NH() * heads.HS() + 3L * C * F + 2L * C;
    return (tied ? 1L : 2L) * V * C + L * layer + C;
  }

  /** Typed access to the fields of config.json, with failures that name file and field. */
  private record Fields(JsonNode json, String where) {
    int positive(String name, Integer otherwise) {
      JsonNode n = json.get(name);
      if ((n == null || n.isNull()) && otherwise != null) return otherwise;
      if (n == null || !n.isInt() || n.asInt() <= 0) {
        throw Failure.data(
            "%s: %s is %s; expected a positive integer", where, name, n == null ? "missing" : n);
      }
      return n.asInt();
    }

    double number(String name, double otherwise) {
      JsonNode n = json.get(name);
      if (n == null || n.isNull()) return otherwise;
      if (!n.isNumber() || !(n.asDouble() > 0))
        throw Failure.data("%s: %s is %s; expected a positive number", where, name, n);
      return n.asDouble();
    }

    void expect(String name, String value) {
      JsonNode n = json.get(name);
      if (n != null && !n.isNull() && !n.asText().equals(value)) {
        throw Failure.data("%s: %s is %s; only \"%s\" is supported", where, name, n, value);
      }
    }

    void expectFalse(String name) {
      if (json.path(name).asBoolean(false))
        throw Failure.data("%s: %s is true; models with biases are not supported", where, name);
    }
  }
}
