package dev.seekr.evaluation;

import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * a[i][j], the score in percent on task i after training on task j, both counted from 0 in training
 * order. A score that was never taken is blank, and so is everything that would need it. Scores of
 * the model before the first task, a[i][−1], lie apart.
 */
public final class ScoreMatrix implements Stateful {
  private final List<String> tasks;
  private final OptionalDouble[][] a;
  private final OptionalDouble[] initial;
  private final GeneralScores general;

  /** Without general ability. */
  public ScoreMatrix(List<String> tasks) {
    this(tasks, List.of());
  }

  /**
   * @param general names of the benchmarks of general ability
   */
  public ScoreMatrix(List<String> tasks, List<String> general) {
    if (tasks.isEmpty()) throw new IllegalArgumentException("a score matrix without tasks");
    this.tasks = List.copyOf(tasks);
    a = new OptionalDouble[tasks.size()][tasks.size()];
    for (OptionalDouble[] scores : a) Arrays.fill(scores, OptionalDouble.empty());
    initial = new OptionalDouble[tasks.size()];
    Arrays.fill(initial, OptionalDouble.empty());
    this.general = new GeneralScores(general, tasks.size());
  }

  /** What was scored beside the tasks; has no benchmarks where nothing was to be. */
  public GeneralScores general() {
    return general;
  }

  /** The tasks in training order. */
  public List<String> tasks() {
    return tasks;
  }

  /** Records a[i][j]; a score that is not finite is refused. */
  public void set(int i, int j, double score) {
    a[i][j] = finite(i, score, " after task " + tasks.get(j));
  }

  /** Records the initial model's score on task i; one that is not finite is refused. */
  public void setInitial(int i, double score) {
    initial[i] = finite(i, score, " before all tasks");
  }

  private OptionalDouble finite(int i, double score, String when) {
    if (!Double.isFinite(score))
      throw new IllegalArgumentException(
          "score %s on task %s%s".formatted(score, tasks.get(i), when));
    return OptionalDouble.of(score);
  }

  /** The initial model's score on task i, or blank. */
  public OptionalDouble initial(int i) {
    return initial[i];
  }

  /** Whether the initial model was scored on any task. */
  public boolean hasInitial() {
    return Arrays.stream(initial).anyMatch(OptionalDouble::isPresent);
  }

  /** a[i][j], or blank. */
  public OptionalDouble get(int i, int j) {
    return a[i][j];
  }

  /** How many tasks are behind the run: up to the last one after which anything was scored. */
  public int trained() {
    return IntStream.range(0, tasks.size())
        .filter(j -> Arrays.stream(a).anyMatch(scores -> scores[j].isPresent()))
        .map(j -> j + 1)
        .max()
        .orElse(0);
  }

  /**
   * Overall performance, paper Eq. 14: Σ_i a[i][T−1] / T, over the T tasks trained so far. Blank
   * while one of them has no score after the last.
   */
  public OptionalDouble op() {
    int t = trained();
    if (t == 0) return OptionalDouble.empty();
    double sum = 0;
    for (int i = 0; i < t; i++) {
      if (a[i][t - 1].isEmpty()) return OptionalDouble.empty();
      sum += a[i][t - 1].getAsDouble();
    }
    return OptionalDouble.of(sum / t);
  }

  /**
   * Backward transfer, paper Eq. 15: Σ_{i&lt;T−1} (a[i][T−1] − a[i][i]) / (T−1), over the T tasks
   * trained so far. Blank for a single task or while one of these scores is missing.
   */
  public OptionalDouble bwt() {
    return forgotten(trained() - 1);
  }

  /**
   * Backward transfer as the released code has it: the same sum over T, since the last task adds 0
   * to it.
   */
  public OptionalDouble bwtReleased() {
    return forgotten(trained());
  }

  private OptionalDouble forgotten(int denominator) {
    int t = trained();
    if (t < 2) return OptionalDouble.empty();
    double sum = 0;
    for (int i = 0; i < t - 1; i++) {
      if (a[i][t - 1].isEmpty() || a[i][i].isEmpty()) return OptionalDouble.empty();
      sum += a[i][t - 1].getAsDouble() - a[i][i].getAsDouble();
    }
    return OptionalDouble.of(sum / denominator);
  }

  /**
   * Forgetting (Chaudhry et al. 2018): Σ_{i&lt;T−1} (max_{i≤j&lt;T−1} a[i][j] − a[i][T−1]) / (T−1),
   * how far a task's score has fallen from the best it had since it was learnt. Blank as {@link
   * #bwt} is.
   */
  public OptionalDouble forgetting() {
    int t = trained();
    if (t < 2) return OptionalDouble.empty();
    double sum = 0;
    for (int i = 0; i < t - 1; i++) {
      double best = Double.NEGATIVE_INFINITY;
      for (int j = i; j < t; j++) {
        if (a[i][j].isEmpty()) return OptionalDouble.empty();
        if (j < t - 1) best = Math.max(best, a[i][j].getAsDouble());
      }
      sum += best - a[i][t - 1].getAsDouble();
    }
    return OptionalDouble.of(sum / (t - 1));
  }

  /**
   * Forward transfer (Lopez-Paz and Ranzato 2017): Σ_{i≥1} (a[i][i−1] − a[i][−1]) / (T−1), what
   * learning the tasks before it has done to a task's score, beside that of the initial model.
   * Blank for a single task or while one of these scores is missing.
   */
  public OptionalDouble forwardTransfer() {
    int t = trained();
    if (t < 2) return OptionalDouble.empty();
    double sum = 0;
    for (int i = 1; i < t; i++) {
      if (a[i][i - 1].isEmpty() || initial[i].isEmpty()) return OptionalDouble.empty();
      sum += a[i][i - 1].getAsDouble() - initial[i].getAsDouble();
    }
    return OptionalDouble.of(sum / (t - 1));
  }

  /**
   * Intransigence (Chaudhry et al. 2018): Σ_i (a*[i] − a[i][i]) / T, how far below a model that
   * learns all tasks together a task is when it is learnt. Blank while a score is missing.
   *
   * @param together a*, scores by task of such a model; tasks that it was not scored on are missing
   */
  public OptionalDouble intransigence(Map<String, Double> together) {
    int t = trained();
    double sum = 0;
    for (int i = 0; i < t; i++) {
      Double other = together.get(tasks.get(i));
      if (other == null || a[i][i].isEmpty()) return OptionalDouble.empty();
      sum += other - a[i][i].getAsDouble();
    }
    return t == 0 ? OptionalDouble.empty() : OptionalDouble.of(sum / t);
  }

  /**
   * Average accuracy over the stages: Σ_j (Σ_{i≤j} a[i][j] / (j+1)) / T. Blank while a score is
   * missing, as for tasks learnt together.
   */
  public OptionalDouble average() {
    int t = trained();
    double sum = 0;
    for (int j = 0; j < t; j++) {
      double seen = 0;
      for (int i = 0; i <= j; i++) {
        if (a[i][j].isEmpty()) return OptionalDouble.empty();
        seen += a[i][j].getAsDouble();
      }
      sum += seen / (j + 1);
    }
    return t == 0 ? OptionalDouble.empty() : OptionalDouble.of(sum / t);
  }

  @Override
  public void save(StateWriter to) {
    Double[][] scores = new Double[a.length][a.length];
    for (int i = 0; i < a.length; i++)
      for (int j = 0; j < a.length; j++)
        scores[i][j] = a[i][j].isPresent() ? a[i][j].getAsDouble() : null;
    to.put("scores", scores);
    if (hasInitial())
      to.put(
          "initial",
          Arrays.stream(initial).map(s -> s.isPresent() ? s.getAsDouble() : null).toArray());
    if (!general.sets().isEmpty()) general.save(to.section("general"));
  }

  @Override
  public void load(StateReader from) {
    Double[][] scores = from.get("scores", Double[][].class);
    boolean square = scores.length == a.length;
    for (Double[] row : scores)
      square &=
          row != null
              && row.length == a.length
              && Arrays.stream(row).allMatch(s -> s == null || Double.isFinite(s));
    if (!square) throw from.wrong("scores", "%1$d x %1$d finite scores".formatted(a.length));
    for (int i = 0; i < a.length; i++)
      for (int j = 0; j < a.length; j++) if (scores[i][j] != null) set(i, j, scores[i][j]);
    if (from.has("initial")) loadInitial(from);
    if (!general.sets().isEmpty()) general.load(from.section("general"));
  }

  private void loadInitial(StateReader from) {
    Double[] scores = from.get("initial", Double[].class);
    if (scores.length != a.length
        || Arrays.stream(scores).anyMatch(s -> s != null && !Double.isFinite(s)))
      throw from.wrong("initial", "%d finite scores".formatted(a.length));
    for (int i = 0; i < a.length; i++) if (scores[i] != null) setInitial(i, scores[i]);
  }
}
