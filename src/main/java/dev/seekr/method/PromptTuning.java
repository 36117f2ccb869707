package dev.seekr.method;

import dev.seekr.config.RunConfig;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Parameters;
import dev.seekr.model.PromptParameters;
import dev.seekr.model.SoftPrompts;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * The ground on which methods of soft prompts stand (Lester et al. 2021): all weights are frozen,
 * and what is learnt are rows that stand before each input as if they were embeddings of tokens.
 */
abstract class PromptTuning implements Method {
  protected final RunConfig config;
  protected final Ops ops;
  protected final Memory memory = new Memory("prompts");
  protected PromptParameters trained;
  private final int layers;

  PromptTuning(RunConfig config, int layers, Ops ops) {
    this.config = config;
    this.layers = layers;
    this.ops = ops;
  }

  /** Rows of the table that go before a training sample. */
  abstract int[] rows(Sample sample);

  @Override
  public Objective learn(Batch batch, Step step) {
    return Method.super.learn(prompted(batch), step);
  }

  /** The samples with their prompts before them. */
  protected Batch prompted(Batch batch) {
    return new Batch(batch.samples().stream().map(s -> s.after(SoftPrompts.ids(rows(s)))).toList());
  }

  @Override
  public int layers() {
    return layers;
  }

  @Override
  public Parameters trained(LlamaModel model) {
    return trained;
  }

  @Override
  public double lrScale() {
    Double lr = config.method().prompt().lr();
    return lr == null ? 1 : lr / config.train().lr();
  }

  /** Rows begin as embeddings of tokens drawn by the seed and the stage. */
  protected void fromVocabulary(Tensor rows, Context context) {
    var random = random(context);
    Tensor wte = context.model().weights.wte;
    for (long r = 0; r < rows.dim(0); r++) {
      long token = random.nextLong(wte.dim(0));
      rows.rows(r, r + 1).copyFrom(wte.rows(token, token + 1));
    }
  }

  protected SplittableRandom random(Context context) {
    return new SplittableRandom(31 * config.train().seed() + context.index());
  }

  @Override
  public void close() {
    memory.close();
  }
}
