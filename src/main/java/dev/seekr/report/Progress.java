package dev.seekr.report;

import java.io.PrintStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.atomic.AtomicReference;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import me.tongfei.progressbar.ProgressState;

/**
 * How far a loop is, on stderr: a bar in one line of a terminal, kept up to date; anywhere else a
 * plain line every ten seconds and one at the end. Shows the steps, the latest losses by name,
 * tokens a second and the time left.
 */
public final class Progress implements AutoCloseable {
  private static final int LIVE_MILLIS = 200;
  private static final int PLAIN_MILLIS = 10_000;
  private static final int PLAIN_WIDTH = 500;

  private final ProgressBar bar;
  private final long start = System.nanoTime();
  private final Map<String, Double> kept = new LinkedHashMap<>();
  private Map<String, Double> latest = Map.of();
  private long tokens;

  /** A loop of {@code steps} steps, called {@code name}: "task 2/8", of which some are done. */
  public Progress(String name, long steps, long done) {
    this(name, steps, done, System.err, Terminal.live(), PLAIN_MILLIS);
  }

  Progress(String name, long steps, long done, PrintStream out, boolean live, int plainMillis) {
    var builder =
        new ProgressBarBuilder()
            .setTaskName(name)
            .setInitialMax(steps)
            .startsFrom(done, Duration.ZERO);
    if (live) {
      builder
          .setStyle(ProgressBarStyle.ASCII)
          .setUpdateIntervalMillis(LIVE_MILLIS)
          .setConsumer(new ConsoleProgressBarConsumer(out));
    } else {
      builder
          .setRenderer((state, width) -> plain(state))
          .setUpdateIntervalMillis(plainMillis)
          .setConsumer(new DelegatingProgressBarConsumer(changes(out), PLAIN_WIDTH));
    }
    bar = builder.build();
  }

  /**
   * One more step is done.
   *
   * @param stepTokens tokens it processed; 0 when that is not of interest
   * @param losses what it measured, by name
   */
  public void step(long stepTokens, Map<String, Double> losses) {
    tokens += stepTokens;
    latest = losses;
    show();
    bar.step();
  }

  /** Shows a number beside those of the steps, from now until it is given anew. */
  public void keep(String name, double value) {
    kept.put(name, value);
    show();
  }

  private void show() {
    var message = new StringJoiner("  ");
    if (tokens > 0) { // first: a narrow terminal cuts the end
      double seconds = (System.nanoTime() - start) / 1e9;
      message.add(String.format(Locale.ROOT, "%.0f tokens/s", tokens / seconds));
    }
    for (var numbers : List.of(latest, kept))
      numbers.forEach((name, n) -> message.add(String.format(Locale.ROOT, "%s %.4g", name, n)));
    bar.setExtraMessage(" " + message);
  }

  /** Shows the last state and leaves it standing. */
  @Override
  public void close() {
    bar.close();
  }

  /** Prints a line unless it says what the one before said: the bar renders its end twice. */
  private static java.util.function.Consumer<String> changes(PrintStream out) {
    var last = new AtomicReference<>("");
    return line -> {
      if (!line.equals(last.getAndSet(line))) {
        out.println(line);
      }
    };
  }

  private static String plain(ProgressState state) {
    long done = state.getCurrent();
    long total = state.getMax();
    Duration elapsed = state.getElapsedAfterStart();
    long taken = done - state.getStart();
    String left = taken == 0 ? "?" : clock(elapsed.multipliedBy(total - done).dividedBy(taken));
    return "%s  step %d/%d %s  elapsed %s  left %s"
        .formatted(state.getTaskName(), done, total, state.getExtraMessage(), clock(elapsed), left);
  }

  private static String clock(Duration time) {
    return "%d:%02d:%02d".formatted(time.toHours(), time.toMinutesPart(), time.toSecondsPart());
  }
}
