package dev.seekr.method;

import dev.seekr.config.RunConfig;
import dev.seekr.data.Sample;
import dev.seekr.model.AttentionTap;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
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
public final class DerPlusPlus extends Replay {
  public DerPlusPlus(RunConfig config, int layers) {
    super(config, layers);
  }

  @Override
  protected void keep(Context context, List<Sample> chosen, Path folder) {
    DType dtype = DType.valueOf(config.method().bufferDtype().toUpperCase(java.util.Locale.ROOT));
    new Teacher(context.model(), -1, null, dtype, config.train().microTokens())
        .record(folder, chosen, null);
  }

  @Override
  public Objective rehearse(List<Replayed> replayed, Step step) {
    var settings = config.method().derpp();
    var distance =
        settings.distance() == RunConfig.LogitDistance.mse ? Ops.Distance.MSE : Ops.Distance.KL;
    double wNll = settings.beta() / step.targets(), wDistill = settings.alpha() / step.targets();
    int targets = replayed.stream().mapToInt(r -> r.sample().targets()).sum();
    var memory = new Memory("objective");
    return new Objective(
        Distillation.output(replayed, wNll, wDistill, distance, memory),
        AttentionTap.none(layers()),
        memory,
        (result, tap, losses) -> {
          losses.add("replay", result.nllSum(), targets, wNll * result.nllSum());
          losses.add("logits", result.distillSum(), targets, wDistill * result.distillSum());
        });
  }
}
