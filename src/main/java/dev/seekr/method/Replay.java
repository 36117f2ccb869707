package dev.seekr.method;

import dev.seekr.config.RunConfig;
import dev.seekr.data.Batch;
import dev.seekr.data.Queries;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.OutputLoss;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Experience replay: a random share of each finished task is kept and trained on again (paper Eq.
 * 2). Also the ground on which the distilling methods stand: they choose the same samples and keep
 * more beside them.
 */
public class Replay implements Method {
  protected final RunConfig config;
  private final int layers;
  private final List<ReplayBuffer> buffers = new ArrayList<>();
  private long storedBytes;

  public Replay(RunConfig config, int layers) {
    this.config = config;
    this.layers = layers;
  }

  @Override
  public int layers() {
    return layers;
  }

  @Override
  public List<Replayed> replay() {
    var all = new ArrayList<Replayed>();
    for (ReplayBuffer buffer : buffers) {
      for (int i = 0; i < buffer.size(); i++) all.add(new Replayed(buffer, i));
    }
    return all;
  }

  @Override
  public Objective rehearse(List<Replayed> replayed, Step step) {
    Batch batch = Replayed.batch(replayed);
    double weight = 1.0 / step.targets();
    return new Objective(
        batch,
        OutputLoss.labels(batch, weight),
        AttentionTap.none(layers),
        new Memory("objective"),
        (result, tap, losses) ->
            losses.add("replay", result.nllSum(), batch.targets(), result.nllSum() * weight));
  }

  @Override
  public void end(Context context) {
    remember(context, choose(context));
  }

  /**
   * Keeps {@code chosen} of a finished task, and what the method wants to know of them; from now on
   * they are replayed.
   */
  public void remember(Context context, List<Sample> chosen) {
    Path folder = context.folder().resolve("buffer").resolve("%02d".formatted(context.index() + 1));
    keep(context, chosen, folder);
    buffers.add(ReplayBuffer.open(folder));
    storedBytes += ReplayBuffer.bytes(folder);
  }

  /** Writes them with the logits of the model as it is now. */
  protected void keepLogits(Context context, List<Sample> chosen, Path folder) {
    DType dtype = DType.valueOf(config.method().bufferDtype().toUpperCase(Locale.ROOT));
    new Teacher(context.model(), -1, null, dtype, config.train().microTokens())
        .record(folder, chosen, null);
  }

  /** Writes the buffer of a finished task: here the samples alone. */
  protected void keep(Context context, List<Sample> chosen, Path folder) {
    for (int i = 0; i < chosen.size(); i++) {
      ReplayBuffer.write(folder, i, new ReplayBuffer.Entry(chosen.get(i), null, null, null));
    }
    ReplayBuffer.finish(folder, chosen.size(), new int[0][], -1);
  }

  /** How many samples of a task of n are to be kept. */
  protected int wanted(int n) {
    int wanted = config.method().replaySamples();
    if (wanted == 0) wanted = (int) Math.round(config.method().replayRatio() * n);
    return Math.min(n, wanted);
  }

  /**
   * R_i of Algorithm 1: a random choice that depends on the seed and the stage only, so that all
   * methods keep the same.
   */
  private List<Sample> choose(Context context) {
    int n = context.samples().size();
    var random = new SplittableRandom(31 * config.train().seed() + context.index());
    int[] picks = Queries.sample(n, wanted(n), random).pos();
    return Arrays.stream(picks).mapToObj(context.samples()::get).toList();
  }

  @Override
  public long storedBytes() {
    return storedBytes;
  }

  @Override
  public void close() {
    buffers.forEach(ReplayBuffer::close);
    buffers.clear();
  }
}
