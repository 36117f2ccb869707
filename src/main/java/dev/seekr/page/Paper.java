package dev.seekr.page;

import dev.seekr.config.MethodName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the paper reports as OP (BWT) for its four task orders: Table 1 with LLaMA-2-7B-Chat for
 * orders 1 and 2, Table 3 with LLaMA-2-7B for 3 and 4; null where it reports none. Replaying
 * methods are those of 1 % replay, and of 10 %.
 */
final class Paper {
  private static final Map<String, List<String>> OP_BWT =
      Map.ofEntries(
          row("seqft", "47.63 (-11.45)", "45.12 (-12.27)", "42.62 (-18.12)", "50.52 (-9.88)"),
          row("ewc", "48.20 (-9.48)", "44.54 (-12.00)", "", ""),
          row("lwf", "41.86 (-6.50)", "40.25 (-5.96)", "43.29 (-15.47)", "47.35 (-12.57)"),
          row("lfpt5", "38.67 (-11.43)", "42.26 (-7.43)", "42.05 (-16.26)", "46.09 (-14.16)"),
          row("l2p", "35.23 (-15.96)", "34.63 (-16.86)", "32.71 (-22.34)", "31.00 (-23.82)"),
          row("pp", "29.41 (-5.79)", "21.58 (-8.83)", "17.96 (-21.27)", "12.19 (-29.08)"),
          row("olora", "44.64 (-4.20)", "42.83 (-9.11)", "30.07 (-24.47)", "26.70 (-33.82)"),
          row("replay", "48.47 (-9.69)", "47.04 (-10.24)", "55.00 (-4.27)", "54.78 (-5.31)"),
          row("derpp", "49.22 (-8.32)", "46.59 (-10.91)", "55.89 (-4.51)", "53.48 (-5.01)"),
          row("seekr", "54.99 (-2.61)", "54.69 (-2.53)", "57.04 (-3.15)", "58.26 (-2.52)"),
          row("replay 10%", "55.67 (-3.96)", "53.39 (-4.15)", "", ""),
          row("derpp 10%", "55.01 (-3.50)", "54.05 (-2.94)", "", ""),
          row("seekr 10%", "58.27 (0.11)", "57.27 (-0.47)", "", ""),
          row("mtl", "59.38", "59.38", "61.27", "61.27"));

  private Paper() {}

  private static Map.Entry<String, List<String>> row(String method, String... orders) {
    return Map.entry(method, List.of(orders));
  }

  /** Of a run that is one of the paper's: its order and its replay, all samples. */
  static Optional<String> of(RunRecord run) {
    var data = run.config().data();
    var method = run.config().method();
    if (data.order() == 0 || data.trainLimit() != 0 || data.testLimit() != 0)
      return Optional.empty();
    String name = method.name().name();
    boolean replays =
        switch (method.name()) {
          case MethodName.replay, derpp, seekr -> true;
          default -> false;
        };
    if (replays && (method.replaySamples() != 0 || method.replayRatio() != 0.01)) {
      if (method.replaySamples() != 0 || method.replayRatio() != 0.1) return Optional.empty();
      name += " 10%";
    }
    var orders = OP_BWT.get(name);
    return Optional.ofNullable(orders)
        .map(o -> o.get(data.order() - 1))
        .filter(text -> !text.isEmpty());
  }
}
