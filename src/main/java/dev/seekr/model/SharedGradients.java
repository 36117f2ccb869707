package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Gradients of all weights that several processes sum: of a layer while the pass goes on to the one
 * below, in the last pass of a step, after which no more is added. A layer is one vector, so that
 * there are few calls, or one for each of its blocks where processes have parts of these.
 */
public final class SharedGradients implements Parameters, WeightGradients {
  private final Weights own;
  private final Function<Tensor, Runnable> summing;
  private final List<Runnable> arrivals = new ArrayList<>();
  private final List<Tensor> vectors = new ArrayList<>(); // that are being summed
  private final boolean byBlock;
  private boolean last;

  /**
   * @param own what this process adds up
   * @param byBlock whether blocks are summed one by one
   * @param summing begins to sum a vector [n] F32 over all processes; what it returns waits for it
   */
  public SharedGradients(Weights own, boolean byBlock, Function<Tensor, Runnable> summing) {
    this.own = own;
    this.byBlock = byBlock || own.vectors().size() > 1;
    this.summing = summing;
  }

  /** Whether the pass to come is the last of a step. */
  public void last(boolean last) {
    this.last = last;
  }

  /** Takes part in the sums of a step that has no pass in this process. */
  public void nothing(Ops ops) {
    for (Tensor g : own.vectors()) ops.zero(g);
    last = true;
    for (int l = own.config.L() - 1; l >= 0; l--) done(l);
    done();
  }

  /**
   * Waits until all has been summed.
   *
   * @param summed is given each vector [n] F32 that was
   */
  public void join(Consumer<Tensor> summed) {
    arrivals.forEach(Runnable::run);
    arrivals.clear();
    vectors.forEach(summed);
    vectors.clear();
  }

  @Override
  public boolean begin(Ops ops, boolean add) {
    return own.begin(ops, add);
  }

  @Override
  public Weights.Layer layer(int l) {
    return own.layer(l);
  }

  @Override
  public void done(int l) {
    if (byBlock) tensors(own.layer(l)).forEach(this::sum);
    else sum(own.flat().view(own.start(l), own.start(l + 1) - own.start(l)));
  }

  @Override
  public void done() {
    sum(own.wte);
    sum(own.lnf);
    if (own.head != own.wte) sum(own.head);
  }

  private void sum(Tensor block) {
    if (!last) return;
    Tensor vector = block.view(0, block.size());
    arrivals.add(summing.apply(vector));
    vectors.add(vector);
  }

  /** In the order of {@link Weights#blocks}. */
  static Stream<Tensor> tensors(Weights.Layer g) {
    return Stream.of(
            g.ln1(), g.qkv(), g.bias(), g.qNorm(), g.kNorm(), g.wo(), g.ln2(), g.gu(), g.down())
        .filter(t -> t != null);
  }

  @Override
  public Tensor wte() {
    return own.wte;
  }

  @Override
  public Tensor head() {
    return own.head;
  }

  @Override
  public Tensor lnf() {
    return own.lnf;
  }

  @Override
  public Tensor flat() {
    return own.flat();
  }

  @Override
  public List<Tensor> vectors() {
    return own.vectors();
  }

  @Override
  public List<Blocks.Block> blocks() {
    return own.blocks();
  }

  @Override
  public Map<String, Tensor> byName() {
    return own.byName();
  }

  @Override
  public Weights like(Ops ops, DType dtype, Memory memory, String tag) {
    return own.like(ops, dtype, memory, tag);
  }
}
