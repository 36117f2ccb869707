package dev.seekr.method;

import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.model.Adapters;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Parameters;
import dev.seekr.model.PromptParameters;
import dev.seekr.model.SoftPrompts;
import dev.seekr.ops.Ops;
import dev.seekr.state.Seeds;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;

/**
 * The ground on which methods of soft prompts stand (Lester et al. 2021): all weights are frozen,
 * and what is learnt are rows that stand before each input as if they were embeddings of tokens.
 */
abstract class PromptTuning implements Method {
  protected final Setup setup;
  protected final Ops ops;
  protected final Memory memory = new Memory("prompts");
  protected PromptParameters trained;

  PromptTuning(Setup setup) {
    this.setup = setup;
    this.ops = setup.ops();
  }

  @Override
  public String undivided() {
    return "soft prompts are small";
  }

  @Override
  public final Setup setup() {
    return setup;
  }

  /** Rows of the table that go before a training sample. */
  abstract int[] rows(Sample sample);

  @Override
  public Objective learn(Batch batch, Step step) {
    return Method.super.learn(prompted(batch), step);
  }

  /** The samples with their prompts before them. */
  @Override
  public Batch prompted(Batch batch) {
    return new Batch(batch.samples().stream().map(s -> s.after(SoftPrompts.ids(rows(s)))).toList());
  }

  /** Rows of a prompt. */
  protected int length() {
    return setup.config().method().prompt().length();
  }

  /** C, numbers in a row. */
  protected int C() {
    return setup.model().config.C();
  }

  /** The table of all rows, those that are trained among them; null: there is none yet. */
  protected Tensor table() {
    return trained == null ? null : trained.rows();
  }

  @Override
  public LlamaModel model() {
    return setup.model().with(Adapters.of(table()));
  }

  @Override
  public Parameters trained() {
    return trained;
  }

  @Override
  public double lrScale() {
    Double lr = setup.config().method().prompt().lr();
    return lr == null ? 1 : lr / setup.config().train().lr();
  }

  /** Rows begin as embeddings of tokens drawn by the seed and the stage. */
  protected void fromVocabulary(Tensor rows, Context context) {
    var random = setup.random(Seeds.Purpose.PROMPTS, context.index());
    Tensor wte = setup.model().weights.wte;
    for (long r = 0; r < rows.dim(0); r++) {
      long token = random.nextLong(wte.dim(0));
      rows.rows(r, r + 1).copyFrom(wte.rows(token, token + 1));
    }
  }

  @Override
  public long stateBytes() {
    return trainedBytes(trained == null ? 0 : trained.flat().size());
  }

  @Override
  public void close() {
    Method.super.close();
    memory.close();
  }
}
