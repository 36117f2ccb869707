package dev.seekr.run;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.config.CheckpointSettings;
import dev.seekr.distributed.Collectives;
import dev.seekr.method.Step;
import dev.seekr.report.ResidentMemory;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.Memory;
import dev.seekr.trainer.Keeper;
import dev.seekr.trainer.RunListener;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Saves a run at the ends of stages, and as often as the settings say. Where there is memory for a
 * second copy of all tensors, training goes on while they are written.
 */
final class Saving implements Keeper, RunListener, AutoCloseable {
  private final CheckpointSettings settings;
  private final Checkpoints checkpoints;
  private final Stop stop;
  private final Collectives all;
  private final LongSupplier nanos;
  private final long start;
  private long lastSaved; // when
  private int stepsSince, saved;
  private double held; // seconds that training waited
  private long lastBetween;
  private double longest; // seconds from one chance to save to the next
  private volatile double slowest; // seconds that a checkpoint takes
  private Thread writer; // null: nothing is being written
  private volatile Throwable fault; // of the writer

  Saving(CheckpointSettings settings, Checkpoints checkpoints, Stop stop) {
    this(settings, checkpoints, stop, Collectives.ALONE, System::nanoTime);
  }

  /**
   * @param all the processes that have something to write too, in each of which {@link
   *     SharedCheckpoint.Companion} is the keeper
   */
  Saving(
      CheckpointSettings settings,
      Checkpoints checkpoints,
      Stop stop,
      Collectives all,
      LongSupplier nanos) {
    this.all = all;
    this.settings = settings;
    this.checkpoints = checkpoints;
    this.stop = stop;
    this.nanos = nanos;
    start = lastSaved = lastBetween = nanos.getAsLong();
  }

  /** Says what one checkpoint is thought to take. */
  void expect(double seconds) {
    slowest = seconds;
  }

  @Override
  public void step(Step step) {
    stepsSince++;
  }

  @Override
  public void between(Stateful run, boolean stageEnds) {
    rethrow();
    leaveTime();
    boolean bySteps = settings.steps() > 0 && stepsSince >= settings.steps();
    double minutes = (nanos.getAsLong() - lastSaved) / 60e9;
    boolean byTime = settings.minutes() > 0 && minutes >= settings.minutes();
    boolean due = stageEnds || bySteps || byTime;
    if (!stageEnds && writing()) due = false; // it comes when the one before is done
    if (!all.any(due)) return;
    long before = nanos.getAsLong();
    begin(run);
    held += (nanos.getAsLong() - before) / 1e9;
  }

  /** For the step that comes and the checkpoint after it, before the time is over. */
  private void leaveTime() {
    long now = nanos.getAsLong();
    longest = Math.max(longest, (now - lastBetween) / 1e9);
    lastBetween = now;
    stop.reserve(seconds(1.5 * longest), seconds(2 + 2 * slowest));
  }

  private static Duration seconds(double s) {
    return Duration.ofMillis((long) (1000 * s));
  }

  /** Waits for the one before; then writes this one, at once or while training goes on. */
  private void begin(Stateful run) {
    join();
    var state = new StateWriter();
    run.save(state);
    stepsSince = 0;
    lastSaved = nanos.getAsLong();
    saved++;
    if (all.ranks() > 1 || ResidentMemory.available() < 2 * state.bytes()) {
      write(state);
      return;
    }
    var memory = new Memory("checkpoint");
    state.copied(memory);
    writer =
        Thread.ofPlatform()
            .name("checkpoint")
            .start(
                () -> {
                  try (memory) {
                    write(state);
                  } catch (Throwable t) {
                    fault = t;
                  }
                });
  }

  private void write(StateWriter state) {
    long before = nanos.getAsLong();
    int stage = state.values().path("stage").intValue();
    checkpoints.write(state, stage, Math.max(1, settings.keep()));
    slowest = Math.max(slowest, (nanos.getAsLong() - before) / 1e9);
  }

  private boolean writing() {
    return writer != null && writer.isAlive();
  }

  private void join() {
    try {
      if (writer != null) writer.join();
      writer = null;
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this", e);
    }
    rethrow();
  }

  private void rethrow() {
    Throwable thrown = fault;
    fault = null;
    switch (thrown) {
      case null -> {}
      case Failure f -> throw f;
      case Error e -> throw e;
      default -> throw new IllegalStateException("a checkpoint could not be written", thrown);
    }
  }

  @Override
  public void save(Stateful run) {
    join();
    long before = nanos.getAsLong();
    var state = new StateWriter();
    run.save(state);
    write(state);
    saved++;
    held += (nanos.getAsLong() - before) / 1e9;
  }

  /** The last one is on the disk, and older ones are not needed. */
  void finish() {
    join();
    checkpoints.finish(whenFinished(settings));
  }

  /** How many checkpoints stay when a run is finished. */
  static int whenFinished(CheckpointSettings settings) {
    return Math.min(1, settings.keep());
  }

  /** What checkpoints cost, for people to read; empty where there were none. */
  String cost() {
    if (saved == 0) return "";
    double share = 100 * held / ((nanos.getAsLong() - start) / 1e9);
    return "%d checkpoint%s held training up for %.1f s, %.1f %% of the time"
        .formatted(saved, saved == 1 ? "" : "s", held, share);
  }

  @Override
  public void close() {
    try {
      if (writer != null) writer.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this", e);
    }
  }
}
