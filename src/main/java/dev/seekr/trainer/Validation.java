package dev.seekr.trainer;

import dev.seekr.Failure;
import dev.seekr.data.Batch;
import dev.seekr.data.Batcher;
import dev.seekr.data.Sample;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Fingerprint;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.distributed.Collectives;
import dev.seekr.method.Method;
import dev.seekr.method.Step;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.SoftPrompts;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import java.nio.file.Path;
import java.util.List;

/**
 * The loss of each epoch of a stage on samples kept apart. Where the best epoch's weights are to go
 * on, they lie on disk until the stage is over: a file for each epoch that was the best so far, so
 * that the one that a checkpoint tells of is never overwritten.
 */
final class Validation implements Stateful {
  private final Method method;
  private final RunFolder folder;
  private final int microTokens;
  private final boolean keepsBest;
  private final Collectives all;
  private int stage, validated, best; // epochs, from 1; 0: none yet
  private double lowest; // loss of the best one
  private Fingerprint written; // of the best one's file; null: none is kept

  Validation(Method method, boolean keepsBest) {
    this.method = method;
    this.folder = method.setup().folder();
    this.microTokens = method.setup().config().train().microTokens();
    this.keepsBest = keepsBest;
    this.all = method.setup().all();
  }

  /** A stage begins, or is over: nothing is known of it, and no file needed. */
  void begin(int stage) {
    this.stage = stage;
    validated = best = 0;
    written = null;
  }

  /** Whether the last of so many epochs is still to be validated. */
  boolean due(int epochs) {
    return epochs > validated;
  }

  /** The best epoch so far, from 1. */
  int best() {
    return best;
  }

  /**
   * The mean loss over all target tokens, at the end of an epoch (from 1). It may be given up at
   * any pass, and is then begun anew.
   */
  double validate(int epoch, String task, List<Sample> samples, Learner learner) {
    double loss = loss(task, samples);
    if (!Double.isFinite(loss))
      throw Failure.config(
          "%s: the loss on validation samples is %s; a smaller train.lr may help", task, loss);
    if (best == 0 || loss < lowest) {
      if (keepsBest) {
        Path file = folder.best(stage, epoch);
        all.first(
            () -> {
              Disk.makeFolder(file.getParent().getParent());
              Disk.makeFolder(file.getParent());
              written = Disk.write(file, SafetensorsWriter.content(learner.trained()));
            });
        if (!all.first()) written = Reading.fingerprint(file);
      }
      best = epoch;
      lowest = loss;
    }
    validated = epoch;
    return loss;
  }

  private double loss(String task, List<Sample> samples) {
    method.beforeStep(Step.of(samples));
    SoftPrompts prompts = method.prompts();
    var chunks = Batcher.pack(samples, Sample::length, microTokens);
    double sum = 0;
    for (double[] of : all.each(chunks.size(), c -> nll(task, chunks.get(c), prompts)))
      sum += of[0];
    return sum / samples.stream().mapToInt(Sample::targets).sum();
  }

  /** Sum over the target tokens of a pass. */
  private double[] nll(String task, List<Sample> samples, SoftPrompts prompts) {
    var batch =
        new Batch(
            samples.stream()
                .map(
                    s ->
                        prompts == null
                            ? s
                            : s.after(SoftPrompts.ids(prompts.choice().rows(task, s.prompt()))))
                .toList());
    var pass = method.model().begin(batch, false).all();
    return new double[] {pass.loss(OutputLoss.labels(batch, 1.0)).nllSum()};
  }

  /** What is trained becomes what it was after the best epoch, where that was not the last. */
  void restore(Learner learner) {
    if (written == null || best == validated) return;
    Path file = folder.best(stage, best);
    written.require(file);
    learner.restore(file);
  }

  @Override
  public void save(StateWriter to) {
    to.put("stage", stage);
    to.put("validated", validated);
    to.put("best", best);
    to.put("lowest", lowest);
    to.put("kept", written != null);
    if (written != null) to.file(folder.best(stage, best));
  }

  @Override
  public void load(StateReader from) {
    stage = (int) from.whole("stage", 0, Integer.MAX_VALUE - 1);
    validated = (int) from.whole("validated", 0, Integer.MAX_VALUE);
    best = (int) from.whole("best", 0, validated);
    lowest = from.get("lowest", Double.class);
    if (from.get("kept", Boolean.class)) written = Reading.fingerprint(folder.best(stage, best));
  }
}
