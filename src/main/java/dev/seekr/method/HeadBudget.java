package dev.seekr.method;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Hierarchical budget allocation (paper section 3.3): the B_L layers with the largest sum of
 * importance, then the B_H heads of the largest importance among all heads of those layers. Ties go
 * to the lower layer and head.
 */
public record HeadBudget(int layers, int heads) {
  /** A model of so many parameters is of the paper's 13B rather than of its 7B. */
  static final long LARGE = 10_000_000_000L;

  /** A layer, or a head of one. */
  private record Head(int l, int h, double importance) {}

  /**
   * What was selected.
   *
   * @param heads by layer, ascending; empty where a layer has none
   * @param ties what the budgets could only choose by number, in words; empty: nothing
   */
  public record Selection(int[][] heads, List<String> ties) {}

  /**
   * The paper's budgets, scaled to a model of L layers and NH heads: 24 of 32 layers, 8 of 32 where
   * {@code many} samples are replayed, and 128 of 1024 heads; for a {@code large} model 8 of 40
   * layers and 128 of 1600 heads.
   */
  public static HeadBudget of(int L, int NH, boolean large, boolean many) {
    double layers = large ? L * 8 / 40.0 : many ? L * 8 / 32.0 : L * 24 / 32.0;
    double heads = (double) L * NH * 128 / (large ? 40 * 40 : 32 * 32);
    return new HeadBudget(atLeastOne(layers), atLeastOne(heads));
  }

  private static int atLeastOne(double budget) {
    return Math.toIntExact(Math.max(1, Math.round(budget)));
  }

  /** This, but for what is given; null: not given. */
  public HeadBudget or(Integer layers, Integer heads) {
    return new HeadBudget(
        layers == null ? this.layers : layers, heads == null ? this.heads : heads);
  }

  /** Selects heads by importance [L][NH]. */
  public Selection select(double[][] importance) {
    var ties = new ArrayList<String>();
    List<Head> all =
        IntStream.range(0, importance.length)
            .mapToObj(l -> new Head(l, -1, Arrays.stream(importance[l]).sum()))
            .toList();
    List<Head> chosenLayers = best(all, layers, "layer", ties);
    var candidates = new ArrayList<Head>();
    for (int l : chosenLayers.stream().mapToInt(Head::l).sorted().toArray()) {
      for (int h = 0; h < importance[l].length; h++)
        candidates.add(new Head(l, h, importance[l][h]));
    }
    List<Head> chosen = best(candidates, heads, "head", ties);
    int[][] byLayer = new int[importance.length][];
    for (int l = 0; l < byLayer.length; l++) {
      int layer = l;
      byLayer[l] = chosen.stream().filter(c -> c.l == layer).mapToInt(Head::h).sorted().toArray();
    }
    return new Selection(byLayer, ties);
  }

  /** The n of the largest importance, those first that come first; a tie at the end is said. */
  private static List<Head> best(List<Head> from, int n, String what, List<String> ties) {
    ToDoubleFunction<Head> importance = Head::importance;
    var sorted = from.stream().sorted(Comparator.comparingDouble(importance).reversed()).toList();
    if (n >= sorted.size()) return sorted;
    double last = sorted.get(n - 1).importance;
    if (last == sorted.get(n).importance) {
      long equal = sorted.stream().filter(c -> c.importance == last).count();
      long taken = sorted.subList(0, n).stream().filter(c -> c.importance == last).count();
      ties.add("of %d %ss of the same importance the %d lowest".formatted(equal, what, taken));
    }
    return sorted.subList(0, n);
  }
}
