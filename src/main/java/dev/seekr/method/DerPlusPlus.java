package dev.seekr.method;

import dev.seekr.config.DerppSettings;
import dev.seekr.data.Sample;
import dev.seekr.ops.Ops;
import java.nio.file.Path;
import java.util.List;

/**
 * DER++ (Buzzega et al. 2020): replay with labels and with the logits the model had when the task
 * was finished,
 *
 * <pre>
 *   L = L_task + beta L_replay + alpha L_ld
 * </pre>
 *
 * L_ld is the KL divergence of paper Eq. 3, or the mean square difference of logits of the
 * original.
 */
public class DerPlusPlus extends Replay {
  public DerPlusPlus(Setup setup) {
    super(setup);
  }

  @Override
  protected Runnable keep(Context context, List<Sample> chosen, Path folder) {
    return keepLogits(chosen, folder);
  }

  @Override
  protected long storedBytes(Sample sample) {
    return super.storedBytes(sample) + logitBytes(sample);
  }

  @Override
  public Objective rehearse(List<Replayed> replayed, Step step) {
    var settings = setup.config().method().derpp();
    var distance =
        settings.distance() == DerppSettings.Distance.mse ? Ops.Distance.MSE : Ops.Distance.KL;
    return Distillation.labelsAndLogits(
        replayed, settings.beta(), settings.alpha(), distance, step, setup.ops());
  }
}
