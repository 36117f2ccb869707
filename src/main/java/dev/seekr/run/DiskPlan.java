package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Reading;
import dev.seekr.method.HeadChanges;
import dev.seekr.method.Method;
import dev.seekr.model.LlamaModel;
import dev.seekr.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * What a run will write, known before it begins, in bytes.
 *
 * @param checkpoint of one; {@code checkpoints} of them at most, one more while it is written
 * @param model of one saved model, of {@code models}
 * @param kept what the method keeps of all stages
 * @param meanwhile the most that it needs while a stage lasts
 */
record DiskPlan(
    long checkpoint, int checkpoints, long model, int models, long kept, long meanwhile) {
  /**
   * One part in so many more for what is not counted: headers, tokenizers, soft prompts, the log.
   */
  private static final int UNCOUNTED = 20;

  /** What is written to see how fast the disk is. */
  private static final int TRIAL = 1 << 25;

  static DiskPlan of(
      RunConfig config, LlamaModel model, Method method, List<Method.Context> stages) {
    long kept = 0, meanwhile = 0;
    for (Method.Context stage : stages) {
      var need = method.diskNeed(stage);
      kept += need.kept() + method.setup().trainable().storedBytes();
      meanwhile = Math.max(meanwhile, need.meanwhile());
    }
    meanwhile += HeadChanges.diskNeed(method.setup());
    // Two epochs' weights, which are no more than what goes with the model's in a checkpoint.
    if (config.train().bestOf() == TrainSettings.BestOf.validation)
      meanwhile += method.stateBytes();
    DType saved = DType.valueOf(config.model().save().name().toUpperCase(Locale.ROOT));
    return new DiskPlan(
        model.weights.flat().bytes() + method.stateBytes(),
        Math.clamp(config.run().checkpoint().keep() + 1L, 2, Integer.MAX_VALUE),
        model.config.parameters() * saved.bytes,
        config.run().saveModels() ? stages.size() : 0,
        kept,
        meanwhile);
  }

  /** With so much more that is kept. */
  DiskPlan keeping(long more) {
    return new DiskPlan(checkpoint, checkpoints, model, models, kept + more, meanwhile);
  }

  long bytes() {
    return checkpoint * checkpoints + model * models + kept + meanwhile;
  }

  /**
   * Throws Failure (73) where there is not as much room.
   *
   * @param there bytes of the run that are written already
   */
  void require(Path folder, long there) {
    long free = Reading.free(folder), more = bytes() - there;
    if (more + more / UNCOUNTED + 1_000_000 <= free || more <= 0) return;
    throw new Failure(
        Failure.Exit.CREATE,
        "%s: the run needs %s and %s are free; run.save_models=false, model.save=bf16 or run.checkpoint.keep=1 need less"
            .formatted(folder, this, size(free)));
  }

  /**
   * What a checkpoint takes on this disk: written, and read back. Less than a second is not tried.
   */
  double seconds(Path folder) {
    if (checkpoint < 2L * TRIAL) return 0;
    Path file = folder.resolve(".trial.part"); // so that it is swept where this is killed
    var zeros = ByteBuffer.allocate(TRIAL);
    long start = System.nanoTime();
    Disk.write(file, (Disk.Content) out -> out.write(zeros.clear()));
    Reading.fingerprint(file);
    double seconds = (System.nanoTime() - start) / 1e9;
    Disk.delete(file);
    return seconds * checkpoint / TRIAL;
  }

  @Override
  public String toString() {
    var text = new StringBuilder(size(bytes()) + " of disk");
    text.append(" (%d checkpoints of %s".formatted(checkpoints, size(checkpoint)));
    if (models > 0) text.append(", %d models of %s".formatted(models, size(model)));
    if (kept > 0) text.append(", %s kept of the tasks".formatted(size(kept)));
    if (meanwhile > 0) text.append(", %s while a task lasts".formatted(size(meanwhile)));
    return text.append(')').toString();
  }

  static String size(long bytes) {
    if (bytes >= 1_000_000_000) return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    return String.format(Locale.ROOT, bytes >= 10_000_000 ? "%.0f MB" : "%.1f MB", bytes / 1e6);
  }
}
