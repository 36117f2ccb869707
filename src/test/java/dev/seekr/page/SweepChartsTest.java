package dev.seekr.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.page.Chart.Series;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Figures of OP over what was swept. */
class SweepChartsTest {
  @TempDir Path folder;
  private final List<RunRecord> runs = new ArrayList<>();

  private void run(double op, String... settings) {
    runs.add(RunRecord.read(HandmadeRuns.run(folder, "r" + runs.size(), op, settings)));
  }

  private List<Chart> charts() {
    return SweepCharts.of(Groups.of(runs));
  }

  /** Heads by replay by seeds, beside a method of which heads mean nothing. */
  private void square() {
    for (int seed = 1; seed <= 2; seed++)
      for (String ratio : List.of("0.01", "0.05")) {
        int shift = 2 * seed + (ratio.equals("0.05") ? 10 : 0);
        for (int heads : new int[] {128, 32, 64})
          run(
              50 + shift + heads / 32.0,
              "method.seekr.heads=" + heads,
              "method.replay_ratio=" + ratio,
              "train.seed=" + seed);
        run(30 + shift, "method.name=replay", "method.replay_ratio=" + ratio, "train.seed=" + seed);
      }
  }

  @Test
  void aChartForEachSettingAndALineForEachOther() {
    square();
    assertThat(charts())
        .extracting(Chart::x)
        .containsExactly(
            "method.replay_ratio: share of a task kept", "method.seekr.heads: B_H, heads");
    var overRatio = charts().get(0);
    assertThat(overRatio.title())
        .isEqualTo("OP over method.replay_ratio, ± standard deviation over seeds");
    assertThat(overRatio.y()).isEqualTo("OP, %");
    assertThat(overRatio.series())
        .extracting(Series::name)
        .containsExactly("seekr, heads 128", "seekr, heads 32", "seekr, heads 64", "replay");
    var overHeads = charts().get(1).series();
    assertThat(overHeads)
        .extracting(Series::name)
        .containsExactly("seekr, replay_ratio 0.01", "seekr, replay_ratio 0.05");
    var points = overHeads.getLast().points();
    assertThat(points).extracting(Chart.Point::x).containsExactly(32.0, 64.0, 128.0);
    assertThat(points.get(2).y()).isEqualTo(50 + 10 + 3 + 4, within(1e-9)); // mean of two seeds
    assertThat(points.get(2).sd()).isEqualTo(Math.sqrt(2), within(1e-9));
  }

  @Test
  void groupsAreToldApartByWhatDoesSomething() {
    square();
    assertThat(Groups.of(runs).all())
        .extracting(Groups.Group::label)
        .contains("replay (replay_ratio 0.01)", "seekr (replay_ratio 0.05, heads 32)")
        .hasSize(8);
  }

  /** Bars lie where the deviation ends, and the axis reaches them. */
  @Test
  void barsAreDrawn() {
    square();
    String svg = charts().get(1).svg();
    var bars = Pattern.compile("class=\"bar s[01]\" d=\"M[\\d.]+ ([\\d.]+)H").matcher(svg);
    assertThat(bars.results())
        .hasSize(6)
        .allSatisfy(
            bar ->
                assertThat(Double.parseDouble(bar.group(1)))
                    .isBetween(Axes.TOP, Axes.H - Axes.BOTTOM));
    assertThat(svg).contains(": 67 ± 1.414</title>", ">method.seekr.heads: B_H, heads</text>");
  }

  /** More than a decade: equal ratios are as far apart. */
  @Test
  void theAxisIsLogarithmicWhereItMust() {
    for (String ratio : List.of("0.001", "0.01", "0.1")) run(50, "method.replay_ratio=" + ratio);
    var chart = charts().getFirst();
    var xs =
        Axes.swept(chart.series().getFirst().points().stream().mapToDouble(p -> p.x()).toArray());
    assertThat(xs.log()).isTrue();
    assertThat(xs.at(0.01)).isEqualTo((xs.at(0.001) + xs.at(0.1)) / 2, within(1e-9));
    assertThat(xs.ticks()).hasSize(7).startsWith(0.001, 0.002).endsWith(0.1);
    assertThat(chart.svg()).contains(">1e-3</text>", ">0.1</text>").doesNotContain("NaN", "bar s0");
    assertThat(Axes.swept(new double[] {0.01, 0.1}).log()).isFalse();
    assertThat(Axes.swept(new double[] {0, 100}).log()).isFalse();
    assertThat(Axes.swept(new double[] {1, 1e6}).ticks())
        .containsExactly(1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6);
  }

  /** Two settings that change together, a text, or a value left open are no axis. */
  @Test
  void whatIsNoSweepHasNoChart() {
    run(50, "method.seekr.heads=4", "method.replay_ratio=0.1");
    run(60, "method.seekr.heads=8", "method.replay_ratio=0.2");
    run(60, "method.seekr.choice=random");
    run(70, "method.seekr.choice=both");
    run(70, "method.name=ewc", "train.lr=1");
    assertThat(charts()).isEmpty();
    run(55, "method.seekr.heads=4", "method.replay_ratio=0.2");
    assertThat(charts()).hasSize(2).allSatisfy(c -> assertThat(c.series()).hasSize(1));
    assertThat(new Page(runs, false).html())
        .contains("OP over method.seekr.heads</figcaption>", "OP over method.replay_ratio</fig");
  }
}
