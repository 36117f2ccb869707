package dev.seekr.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Sample;
import dev.seekr.disk.ConfigFields;
import dev.seekr.disk.Fields;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** Small random models and data for tests. */
public final class TinyModel {
  private static final String ISA = System.getProperty("seekr.test.isa", "auto");

  private TinyModel() {}

  public static LlamaConfig config(
      int V, int C, int F, int L, int NH, int NKV, int HS, boolean tied) {
    var json = new ObjectMapper().createObjectNode();
    json.put("model_type", "llama")
        .put("vocab_size", V)
        .put("hidden_size", C)
        .put("intermediate_size", F);
    json.put("num_hidden_layers", L).put("num_attention_heads", NH).put("num_key_value_heads", NKV);
    json.put("head_dim", HS).put("tie_word_embeddings", tied).put("rms_norm_eps", 1e-5);
    json.put("bos_token_id", 1).put("eos_token_id", 2).put("max_position_embeddings", 512);
    return LlamaConfig.parse(ConfigFields.of(new Fields(json, "test"), Set.of()));
  }

  public static LlamaConfig config() {
    return config(61, 24, 40, 3, 4, 2, 6, true);
  }

  public static LlamaModel random(
      LlamaConfig config, Ops ops, Memory memory, long seed, Recompute recompute) {
    var weights = new Weights(config, ops, memory, "weights");
    weights.randomize(new SplittableRandom(seed));
    // Larger than an initialisation, so that attention is far from uniform.
    double[] w = weights.flat().toDoubles();
    for (int i = 0; i < w.length; i++) w[i] = w[i] == 1 ? 1.1 : 8 * w[i];
    weights.flat().copyFrom(w);
    return new LlamaModel(config, weights, ops, recompute);
  }

  public static List<Sample> samples(int n, int longest, int V, long seed) {
    var random = new SplittableRandom(seed);
    var samples = new ArrayList<Sample>();
    for (int i = 0; i < n; i++) {
      int[] tokens = random.ints(random.nextInt(3, longest + 1), 3, V).toArray();
      samples.add(new Sample(tokens, random.nextInt(1, tokens.length)));
    }
    return samples;
  }

  public static Ops cpu(int threads, String isa) {
    return cpu(threads, isa, "f32");
  }

  private static Ops cpu(int threads, String isa, String dtype) {
    var settings =
        List.of(
            "run.backend=cpu", "run.threads=" + threads, "run.isa=" + isa, "run.dtype=" + dtype);
    return Backends.open(ConfigReader.read(List.of(), settings).run());
  }

  /** Whether {@link #cpu()} is of another instruction set than the best. */
  public static boolean namesIsa() {
    return !ISA.equals("auto");
  }

  /** Two threads; property {@code seekr.test.isa} names another instruction set than the best. */
  public static Ops cpu() {
    return cpu(DType.F32);
  }

  /** The same in F32 or BF16. */
  public static Ops cpu(DType element) {
    return cpu(2, ISA, element == DType.BF16 ? "bf16" : "f32");
  }
}
