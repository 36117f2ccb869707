package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * The parameters of a LLaMA, or anything of their shape (gradients, optimizer moments): one flat
 * allocation. Query, key and value projections lie end to end, so do gate and up projections: each
 * group is one matrix product. {@link #byName()} gives the views under the names Hugging Face uses.
 */
public final class Weights implements Parameters, WeightGradients {
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
  private final long[] starts; // [L+1]
  private final Blocks blocks;
  private final Map<String, Tensor> byName = new LinkedHashMap<>();

  /** Zeros in the shape of {@code config}, that {@code ops} computes with. */
  public Weights(LlamaConfig config, Ops ops, Memory memory, String tag) {
    this(config, ops, ops.dtype(), memory, tag);
  }

  /** Zeros in the shape of {@code config}, of any type, where {@code ops} computes. */
  public Weights(LlamaConfig config, Ops ops, DType dtype, Memory memory, String tag) {
    this(config, new Blocks(ops.allocate(memory, tag, dtype, matrices(config) + others(config))));
  }

  /**
   * Zeros for gradients: those of matrices in the type of {@code ops}, what is added up in several
   * places (norms, biases, embeddings and the output layer) in {@link Ops#wide}.
   */
  public static Weights narrowGradients(LlamaConfig config, Ops ops, Memory memory, String tag) {
    if (ops.dtype() == ops.wide()) return new Weights(config, ops, memory, tag);
    Tensor matrices = ops.allocate(memory, tag, matrices(config));
    Tensor others = ops.allocate(memory, tag, ops.wide(), others(config));
    return new Weights(config, new Blocks(matrices, others));
  }

  private Weights(LlamaConfig config, Blocks blocks) {
    this.config = config;
    this.blocks = blocks;
    this.starts = new long[config.L() + 1];
    int F = config.F();
    int q = config.heads().NH() * config.heads().HS(),
        kv = config.heads().NKV() * config.heads().HS();
    wte = blocks.next(Role.EMBEDDING, config.V(), config.C());
    byName.put("model.embed_tokens.weight", wte);
    layers = new Layer[config.L()];
    for (int l = 0; l < layers.length; l++) {
      starts[l] = blocks.used();
      var w = layers[l] = layer(config, l, blocks);
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
    starts[layers.length] = blocks.used();
    lnf = blocks.next(Role.NORM, config.C());
    byName.put("model.norm.weight", lnf);
    head = config.tied() ? wte : blocks.next(Role.EMBEDDING, config.V(), config.C());
    if (!config.tied()) byName.put("lm_head.weight", head);
  }

  static Layer layer(LlamaConfig config, int l, Blocks blocks) {
    int C = config.C(), F = config.F(), qkv = config.heads().qkvWidth(), HS = config.heads().HS();
    var form = config.form(l);
    return new Layer(
        blocks.next(Role.NORM, C),
        blocks.next(Role.MATRIX, qkv, C),
        form.qkvBias() ? blocks.next(Role.BIAS, qkv) : null,
        form.qkNorm() ? blocks.next(Role.NORM, HS) : null,
        form.qkNorm() ? blocks.next(Role.NORM, HS) : null,
        blocks.next(Role.MATRIX, C, (long) config.heads().NH() * HS),
        blocks.next(Role.NORM, C),
        blocks.next(Role.MATRIX, 2L * F, C),
        blocks.next(Role.MATRIX, C, F));
  }

  /** Elements of each block of a layer, in the order of {@link #blocks}. */
  static List<Long> sizes(LlamaConfig config, int l) {
    long C = config.C(), F = config.F(), qkv = config.heads().qkvWidth(), HS = config.heads().HS();
    var form = config.form(l);
    var sizes = new ArrayList<>(List.of(C, qkv * C));
    if (form.qkvBias()) sizes.add(qkv);
    if (form.qkNorm()) sizes.addAll(List.of(HS, HS));
    sizes.addAll(List.of(C * config.heads().NH() * HS, C, 2 * F * C, C * F));
    return sizes;
  }

  /** Elements of matrices. */
  private static long matrices(LlamaConfig c) {
    long C = c.C(), o = (long) c.heads().NH() * c.heads().HS();
    return c.L()
        * (Blocks.align(c.heads().qkvWidth() * C)
            + Blocks.align(C * o)
            + Blocks.align(2L * c.F() * C)
            + Blocks.align(C * c.F()));
  }

  /** Elements of what is no matrix. */
  private static long others(LlamaConfig c) {
    long C = c.C(), layers = 0;
    for (int l = 0; l < c.L(); l++) {
      layers +=
          2 * Blocks.align(C)
              + (c.form(l).qkvBias() ? Blocks.align(c.heads().qkvWidth()) : 0)
              + (c.form(l).qkNorm() ? 2 * Blocks.align(c.heads().HS()) : 0);
    }
    return (c.tied() ? 1 : 2) * Blocks.align(c.V() * C) + layers + Blocks.align(C);
  }

  @Override
  public Layer layer(int l) {
    return layers[l];
  }

  @Override
  public Tensor wte() {
    return wte;
  }

  @Override
  public Tensor head() {
    return head;
  }

  @Override
  public Tensor lnf() {
    return lnf;
  }

  /** Where layer l begins in the one vector; of l = L, where the last one ends. */
  long start(int l) {
    return starts[l];
  }

  @Override
  public List<Tensor> vectors() {
    return blocks.vectors();
  }

  @Override
  public Tensor flat() {
    return blocks.flat();
  }

  @Override
  public List<Blocks.Block> blocks() {
    return blocks.all();
  }

  @Override
  public Weights like(Ops ops, Memory memory, String tag) {
    return like(ops, ops.wide(), memory, tag);
  }

  @Override
  public Weights like(Ops ops, DType dtype, Memory memory, String tag) {
    return new Weights(config, ops, dtype, memory, tag);
  }

  /** Hugging Face's name of each tensor, in the order of a forward pass. */
  @Override
  public Map<String, Tensor> byName() {
    return byName;
  }

  /**
   * Zeroes what a backward pass adds up in several places, where it is not added to: norms, biases,
   * and the embedding where it is not the output layer too. All others are products.
   */
  @Override
  public boolean begin(Ops ops, boolean add) {
    if (add) return true;
    for (var block : blocks.all())
      if (block.role() == Role.NORM || block.role() == Role.BIAS) ops.zero(block.tensor());
    if (head != wte) ops.zero(wte);
    return false;
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
