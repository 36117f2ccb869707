package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * The parameters of a LLaMA, or anything of their shape (gradients, optimizer moments): one flat
 * allocation. Query, key and value projections lie end to end, so do gate and up projections: each
 * group is one matrix product. {@link #byName()} gives the views under the names Hugging Face uses.
 */
public final class Weights implements Parameters {
  /**
   * One layer: ln1, ln2 [C]; qkv [(NH+2NKV) HS, C]; bias [(NH+2NKV) HS] of qkv, qNorm, kNorm [HS],
   * null where its {@link LayerForm} has none; wo [C, NH HS]; gu [2F, C] (gate, up); down [C, F].
   */
  public record Layer(
      Tensor ln1,
      Tensor qkv,
      Tensor bias,
      Tensor qNorm,
      Tensor kNorm,
      Tensor wo,
      Tensor ln2,
      Tensor gu,
      Tensor down) {}

  public final LlamaConfig config;

  /** Embedding [V,C]. */
  public final Tensor wte;

  /** Output layer [V,C]; the same memory as {@link #wte} when tied. */
  public final Tensor head;

  /** Final norm [C]. */
  public final Tensor lnf;

  private final Layer[] layers;
  private final Blocks blocks;
  private final Map<String, Tensor> byName = new LinkedHashMap<>();

  /** Zeros in the shape of {@code config}, that {@code ops} computes with. */
  public Weights(LlamaConfig config, Ops ops, Memory memory, String tag) {
    this(config, ops.allocate(memory, tag, flatSize(config)));
  }

  /** Zeros in the shape of {@code config}, of any type, where {@code ops} computes. */
  public Weights(LlamaConfig config, Ops ops, DType dtype, Memory memory, String tag) {
    this(config, ops.allocate(memory, tag, dtype, flatSize(config)));
  }

  private Weights(LlamaConfig config, Tensor flat) {
    this.config = config;
    this.blocks = new Blocks(flat);
    int C = config.C(), F = config.F();
    int q = config.heads().NH() * config.heads().HS(),
        kv = config.heads().NKV() * config.heads().HS();
    wte = blocks.next(Role.EMBEDDING, config.V(), C);
    byName.put("model.embed_tokens.weight", wte);
    layers = new Layer[config.L()];
    for (int l = 0; l < layers.length; l++) {
      int HS = config.heads().HS();
      var form = config.form(l);
      var w =
          new Layer(
              blocks.next(Role.NORM, C),
              blocks.next(Role.MATRIX, q + 2 * kv, C),
              form.qkvBias() ? blocks.next(Role.BIAS, q + 2 * kv) : null,
              form.qkNorm() ? blocks.next(Role.NORM, HS) : null,
              form.qkNorm() ? blocks.next(Role.NORM, HS) : null,
              blocks.next(Role.MATRIX, C, q),
              blocks.next(Role.NORM, C),
              blocks.next(Role.MATRIX, 2 * F, C),
              blocks.next(Role.MATRIX, C, F));
      layers[l] = w;
      String at = "model.layers." + l + ".";
      byName.put(at + "input_layernorm.weight", w.ln1);
      byName.put(at + "self_attn.q_proj.weight", w.qkv.rows(0, q));
      byName.put(at + "self_attn.k_proj.weight", w.qkv.rows(q, q + kv));
      byName.put(at + "self_attn.v_proj.weight", w.qkv.rows(q + kv, q + 2 * kv));
      if (w.bias != null) {
        byName.put(at + "self_attn.q_proj.bias", w.bias.view(0, q));
        byName.put(at + "self_attn.k_proj.bias", w.bias.view(q, kv));
        byName.put(at + "self_attn.v_proj.bias", w.bias.view(q + kv, kv));
      }
      if (w.qNorm != null) {
        byName.put(at + "self_attn.q_norm.weight", w.qNorm);
        byName.put(at + "self_attn.k_norm.weight", w.kNorm);
      }
      byName.put(at + "self_attn.o_proj.weight", w.wo);
      byName.put(at + "post_attention_layernorm.weight", w.ln2);
      byName.put(at + "mlp.gate_proj.weight", w.gu.rows(0, F));
      byName.put(at + "mlp.up_proj.weight", w.gu.rows(F, 2L * F));
      byName.put(at + "mlp.down_proj.weight", w.down);
    }
    lnf = blocks.next(Role.NORM, C);
    byName.put("model.norm.weight", lnf);
    head = config.tied() ? wte : blocks.next(Role.EMBEDDING, config.V(), C);
    if (!config.tied()) byName.put("lm_head.weight", head);
  }

  private static long flatSize(LlamaConfig c) {
    long C = c.C(), o = (long) c.heads().NH() * c.heads().HS(), HS = c.heads().HS();
    long layers = 0;
    for (int l = 0; l < c.L(); l++) {
      layers +=
          2 * Blocks.align(C)
              + Blocks.align(c.heads().qkvWidth() * C)
              + (c.form(l).qkvBias() ? Blocks.align(c.heads().qkvWidth()) : 0)
              + (c.form(l).qkNorm() ? 2 * Blocks.align(HS) : 0)
              + Blocks.align(C * o)
              + Blocks.align(2L * c.F() * C)
              + Blocks.align(C * c.F());
    }
    return (c.tied() ? 1 : 2) * Blocks.align(c.V() * C) + layers + Blocks.align(C);
  }

  public Layer layer(int l) {
    return layers[l];
  }

  @Override
  public Tensor flat() {
    return blocks.flat;
  }

  @Override
  public List<Blocks.Block> blocks() {
    return blocks.all();
  }

  @Override
  public Weights like(Ops ops, Memory memory, String tag) {
    return new Weights(config, ops, ops.wide(), memory, tag);
  }

  /** Hugging Face's name of each tensor, in the order of a forward pass. */
  @Override
  public Map<String, Tensor> byName() {
    return byName;
  }

  /**
   * Of gradients, zeroes those that a backward pass adds up in several places: of norms, biases,
   * and the embedding where it is not the output layer too. All others are products.
   */
  void zeroSums(Ops ops) {
    for (var block : blocks.all())
      if (block.role() == Role.NORM || block.role() == Role.BIAS) ops.zero(block.tensor());
    if (head != wte) ops.zero(wte);
  }

  /** Copies all values. Throws IllegalArgumentException when shapes differ. */
  public void copyFrom(Weights from) {
    flat().copyFrom(from.flat());
  }

  /**
   * Normal(0, 0.02) matrices, residual outputs scaled by 1/sqrt(2L) as GPT-2 does; norms 1, biases
   * 0.
   */
  public void randomize(RandomGenerator random) {
    double residual = 0.02 / Math.sqrt(2.0 * config.L());
    byName.forEach(
        (name, w) -> {
          boolean out = name.endsWith("o_proj.weight") || name.endsWith("down_proj.weight");
          double sd = out ? residual : 0.02;
          Role role = role(name);
          long n = w.size(), row = w.dim(-1);
          float[] values = new float[Math.toIntExact(row)];
          for (long from = 0; from < n; from += row) {
            for (int i = 0; i < row; i++)
              values[i] =
                  switch (role) {
                    case NORM -> 1;
                    case BIAS -> 0;
                    default -> (float) (random.nextGaussian() * sd);
                  };
            w.view(from, row).copyFrom(values);
          }
        });
  }

  private static Role role(String name) {
    if (name.endsWith("norm.weight")) return Role.NORM;
    return name.endsWith(".bias") ? Role.BIAS : Role.MATRIX;
  }
}
