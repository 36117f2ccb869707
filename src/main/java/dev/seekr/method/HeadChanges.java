package dev.seekr.method;

import dev.seekr.model.LlamaModel;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.Memory;

/**
 * How far the attention of every head has moved, whatever the method trains it by: the sum over
 * stages of
 *
 * <pre>
 *   E ||A^k_lh - A^{k-1}_lh||_F        over the samples that a replaying method would keep
 * </pre>
 *
 * which is SEEKR's forgettability (paper Eq. 9), and what Figure 4 shows of sequential finetuning.
 */
public final class HeadChanges implements Stateful {
  private final Setup setup;
  private final WeightsBefore before;
  private double[][] sum; // [L][NH]

  private HeadChanges(Setup setup) {
    this.setup = setup;
    before = new WeightsBefore(setup);
    sum = new double[setup.L()][setup.model().config.heads().NH()];
  }

  /** Null where they are not recorded. */
  public static HeadChanges of(Setup setup) {
    return setup.config().run().recordHeads() ? new HeadChanges(setup) : null;
  }

  /** Before each stage, when the model is still the one before it. */
  public void begin(Method.Context context) {
    before.begin(context);
  }

  /**
   * When all steps of a stage are taken and the method has not ended it: the sum with this stage
   * [L][NH], which {@link #keep} then takes. It may be given up at any pass.
   */
  public double[][] with(Method.Context context, LlamaModel after) {
    var samples = new KeptSamples(setup).of(context);
    after.release(); // room for the other model
    try (var memory = new Memory("previous model");
        var then = before.model(context, memory)) {
      int micro = setup.config().train().microTokens();
      double[][] more =
          HeadImportance.change(after, then, samples, null, micro, setup.all()).norm();
      for (int l = 0; l < more.length; l++)
        for (int h = 0; h < more[l].length; h++) more[l][h] += sum[l][h];
      return more;
    }
  }

  /** The stage is over. */
  public void keep(double[][] with) {
    sum = with;
    before.end();
  }

  /** These with what a method knows of its heads itself; null: nothing. */
  public HeadScores beside(HeadScores own) {
    return own == null ? HeadScores.ofChange(sum) : own.or(sum);
  }

  /** Bytes on disk while a stage lasts. */
  public static long diskNeed(Setup setup) {
    return setup.config().run().recordHeads() ? WeightsBefore.bytes(setup) : 0;
  }

  @Override
  public void save(StateWriter to) {
    to.put("sum", sum);
    before.save(to);
  }

  @Override
  public void load(StateReader from) {
    sum = Importance.load(from, "sum", setup.L(), setup.model().config.heads().NH());
    before.load(from);
  }
}
