package dev.seekr.method;

import dev.seekr.Failure;
import dev.seekr.data.Batch;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.OutputLoss;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.Memory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Experience replay: a random share of each finished task is kept and trained on again (paper Eq.
 * 2). Also the ground on which the methods that keep samples stand: they choose the same ones and
 * keep more beside them.
 */
public class Replay implements Method {
  protected final Setup setup;
  private final Map<Integer, ReplayBuffer> buffers = new TreeMap<>(); // by stage

  public Replay(Setup setup) {
    this.setup = setup;
  }

  @Override
  public final Setup setup() {
    return setup;
  }

  @Override
  public List<Replayed> replay() {
    return stored();
  }

  /** All that is kept, stage by stage. */
  final List<Replayed> stored() {
    var all = new ArrayList<Replayed>();
    for (ReplayBuffer buffer : buffers.values()) {
      for (int i = 0; i < buffer.size(); i++) all.add(new Replayed(buffer, i));
    }
    return all;
  }

  @Override
  public Objective rehearse(List<Replayed> replayed, Step step) {
    Batch batch = Replayed.batch(replayed);
    double weight = step.replayedToken();
    return new Objective(
        batch,
        OutputLoss.labels(batch, weight),
        AttentionTap.NONE,
        new Memory("objective"),
        (tapped, losses) -> {
          double nll = tapped.losses().nllSum();
          losses.add("replay", nll, batch.targets(), weight);
        });
  }

  @Override
  public void end(Context context) {
    remember(context, choose(context));
    Method.super.end(context);
  }

  /**
   * Keeps {@code chosen} of a finished task, and what the method wants to know of them; from now on
   * they are replayed.
   */
  public void remember(Context context, List<Sample> chosen) {
    Path folder = setup.folder().buffer(context.index());
    Runnable kept = keep(context, chosen, folder);
    var buffer = ReplayBuffer.open(folder);
    kept.run();
    buffers.put(context.index(), buffer);
  }

  /**
   * Writes the buffer of a finished task: here the samples alone.
   *
   * @return what the method is then to become, which cannot fail
   */
  protected Runnable keep(Context context, List<Sample> chosen, Path folder) {
    setup
        .all()
        .first(
            () ->
                ReplayBuffer.write(
                    folder,
                    new int[0][],
                    -1,
                    out ->
                        chosen.forEach(
                            s -> out.accept(new ReplayBuffer.Entry(s, null, null, null)))));
    return () -> {};
  }

  /** Writes them with the logits of the model as it is now. */
  protected Runnable keepLogits(List<Sample> chosen, Path folder) {
    new Teacher(model(), -1, null, setup.bufferType(), setup.config().train().microTokens())
        .record(folder, chosen, null, setup.all());
    return () -> {};
  }

  /** How many samples of a task of n are to be kept: at least one, where any share is. */
  protected int wanted(int n) {
    return new KeptSamples(setup).wanted(n);
  }

  /** Samples kept of each task; those of the last are of no use to any. */
  @Override
  public Map<String, String> comesTo(List<Context> stages) {
    var kept = new ArrayList<String>();
    for (Context stage : stages) {
      int n = stage.samples().size(), wanted = wanted(n);
      if (wanted == 0 && stage != stages.getLast())
        throw Failure.config(
            "method.replay_ratio 0 of %d samples (%s) keeps none; at least one is kept where it is above 0, or where method.replay_samples is",
            n, stage.name());
      kept.add("%d of %d".formatted(wanted, n));
    }
    var comesTo = new LinkedHashMap<String, String>();
    comesTo.put("kept", String.join(", ", kept));
    return comesTo;
  }

  @Override
  public int replays(List<Context> finished) {
    return finished.stream().mapToInt(stage -> wanted(stage.samples().size())).sum();
  }

  private List<Sample> choose(Context context) {
    return new KeptSamples(setup).of(context);
  }

  /** How many of the stage's samples are kept, and of all stages so far. */
  @Override
  public Map<String, Object> used(Context context) {
    var used = new LinkedHashMap<String, Object>();
    used.put("kept", buffer(context).size());
    used.put("of", context.samples().size());
    used.put("kept_in_all", buffers.values().stream().mapToInt(ReplayBuffer::size).sum());
    return used;
  }

  /** What is kept of a stage that has ended. */
  final ReplayBuffer buffer(Context context) {
    return buffers.get(context.index());
  }

  @Override
  public long storedBytes() {
    return buffers.values().stream().mapToLong(ReplayBuffer::bytes).sum();
  }

  @Override
  public DiskNeed diskNeed(Context context) {
    return new DiskNeed(choose(context).stream().mapToLong(this::storedBytes).sum(), 0);
  }

  /** Bytes on disk that a sample and what is stored with it take, about. */
  protected long storedBytes(Sample sample) {
    return 400 + 4L * sample.length();
  }

  /** The logits of a sample's answer. */
  protected long logitBytes(Sample sample) {
    return (long) sample.targets() * setup.model().config.V() * setup.bufferType().bytes;
  }

  @Override
  public void save(StateWriter to) {
    to.put("buffers", buffers.keySet());
    for (int stage : buffers.keySet()) to.file(ReplayBuffer.index(setup.folder().buffer(stage)));
  }

  @Override
  public void load(StateReader from) {
    int next = 0;
    for (int stage : from.get("buffers", int[].class)) {
      if (stage < next) throw from.wrong("buffers", "stages, ascending from 0");
      next = stage + 1;
      buffers.put(stage, ReplayBuffer.open(setup.folder().buffer(stage)));
    }
  }
}
