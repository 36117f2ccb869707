package dev.seekr.method;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Hierarchical budget allocation (paper section 3.3): the B_L layers with the largest sum of
 * importance, then the B_H heads of the largest importance among all heads of those layers. Ties go
 * to the lower layer and head.
 */
public record HeadBudget(int layers, int heads) {

  /**
   * The paper's 24 of 32 layers and 128 of 1024 heads, scaled to a model of L layers and NH heads
   * where not given.
   */
  public static HeadBudget of(Integer layers, Integer heads, int L, int NH) {
    int scaledLayers = Math.toIntExact(Math.max(1, Math.round(L * 24 / 32.0)));
    int scaledHeads = Math.toIntExact(Math.max(1, Math.round(L * NH * 128 / 1024.0)));
    return new HeadBudget(
        layers == null ? scaledLayers : layers, heads == null ? scaledHeads : heads);
  }

  /** Selected heads by layer, ascending; empty where a layer has none. importance: [L][NH]. */
  public int[][] select(double[][] importance) {
    List<Integer> chosenLayers =
        IntStream.range(0, importance.length)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer l) -> -Arrays.stream(importance[l]).sum()))
            .limit(layers)
            .sorted()
            .toList();
    record Head(int l, int h, double importance) {}
    var candidates = new ArrayList<Head>();
    for (int l : chosenLayers) {
      for (int h = 0; h < importance[l].length; h++)
        candidates.add(new Head(l, h, importance[l][h]));
    }
    candidates.sort(Comparator.comparingDouble(c -> -c.importance));
    var chosen = candidates.subList(0, Math.min(heads, candidates.size()));
    int[][] byLayer = new int[importance.length][];
    for (int l = 0; l < byLayer.length; l++) {
      int layer = l;
      byLayer[l] = chosen.stream().filter(c -> c.l == layer).mapToInt(Head::h).sorted().toArray();
    }
    return byLayer;
  }
}
