package dev.seekr.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.disk.RunFolder;
import dev.seekr.method.HeadScores;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Figures 4 and 5 of a run's heads. */
class HeadFiguresTest {
  @TempDir Path folder;

  /** A run that knows of L layers of NH heads after both tasks. */
  private RunRecord run(String name, int L, int NH, boolean seekr) {
    Path run = HandmadeRuns.run(folder, name, 60);
    var random = new SplittableRandom(L);
    for (int stage = 0; stage < 2; stage++) {
      double[][] s = new double[L][NH], f = new double[L][NH], i = new double[L][NH];
      var selected = new boolean[L][NH];
      for (int l = 0; l < L; l++)
        for (int h = 0; h < NH; h++) {
          s[l][h] = random.nextDouble();
          f[l][h] = Math.exp(4 * random.nextDouble());
          i[l][h] = s[l][h] * f[l][h];
          selected[l][h] = random.nextInt(8) == 0;
        }
      var scores = seekr ? new HeadScores(s, f, i, selected) : new HeadScores(null, f, null, null);
      scores.write(new RunFolder(run), stage, Map.of());
    }
    return RunRecord.read(run);
  }

  private static int count(String text, String what) {
    return (int) Pattern.compile(Pattern.quote(what)).matcher(text).results().count();
  }

  private static void assertMarkup(String html) throws Exception {
    var builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
    String xml = html.substring(html.indexOf("<html"));
    assertThat(builder.parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8))))
        .isNotNull();
  }

  @Test
  void everyCellSaysItsNumber() throws Exception {
    RunRecord run = run("r", 5, 3, true);
    String page = new Page(List.of(run), false).html();
    assertMarkup(page);
    assertThat(page)
        .contains("Heads after b, from importance/02.csv")
        .contains(">head, from 0<", ">layer, from 0<", ">F, Frobenius norm, no unit<");
    var scores = HeadScores.read(run.folder().importanceCsv(1));
    for (double[][] score : scores.byName().values()) {
      double largest = Arrays.stream(score).flatMapToDouble(Arrays::stream).max().orElseThrow();
      assertThat(page).contains("ten shades from 0 to " + HeatMap.number(largest));
      for (int l = 0; l < 5; l++)
        for (int h = 0; h < 3; h++) {
          String chosen = scores.selected()[l][h] ? ", selected" : "";
          String title =
              "layer %d, head %d: %s%s".formatted(l, h, HeatMap.number(score[l][h]), chosen);
          int shade = Math.min(9, (int) (10 * (score[l][h] / largest)));
          String cell = "class=\"q%d\" d=\"M%d %dh1v1h-1z\"><title>".formatted(shade, h, l);
          assertThat(page).contains(cell + title + "</title>");
        }
    }
  }

  @Test
  void selectedHeadsAreOutlined() {
    RunRecord run = run("r", 7, 9, true);
    var selected = HeadScores.read(run.folder().importanceCsv(1)).selected();
    var marks = new StringBuilder();
    int n = 0;
    for (int l = 0; l < 7; l++)
      for (int h = 0; h < 9; h++)
        if (selected[l][h]) {
          marks.append("M%d %dh1v1h-1z".formatted(h, l));
          n++;
        }
    assertThat(n).isBetween(2, 60);
    String page = new Page(List.of(run), false).html();
    assertThat(count(page, "<path class=\"mark\" d=\"" + marks + "\"/>")).isEqualTo(3);
    assertThat(count(page, "outlined: %d of 63 heads, selected".formatted(n))).isEqualTo(3);
  }

  @Test
  void changeAloneIsAMapAndAHistogram() {
    String page = new Page(List.of(run("r", 4, 4, false)), false).html();
    assertThat(page)
        .contains("F, forgettability", "Cumulative change of attention over 2 tasks")
        .doesNotContain("S, sensitivity", "I, importance", "outlined");
    assertThat(count(page, "<title>layer ")).isEqualTo(16);
  }

  @Test
  void runsWithoutHaveNone() {
    var run = RunRecord.read(HandmadeRuns.run(folder, "r", 60));
    assertThat(new Page(List.of(run), false).html()).doesNotContain("Heads after", "Cumulative");
  }

  /** Ten runs of a small model, of one of 7B, and of one of 13B. */
  @ParameterizedTest
  @CsvSource({"30, 9, ONE", "32, 32, LAYERS", "40, 40, LAYERS"})
  void tenRunsAreBelowAMegabyte(int L, int NH, HeadFigures.Detail detail) throws Exception {
    var runs = new ArrayList<RunRecord>();
    for (int i = 0; i < 10; i++) runs.add(run("r" + i, L, NH, true));
    assertThat(HeadFigures.detail(runs)).isEqualTo(detail);
    assertThat(HeadFigures.detail(runs.subList(0, 1)))
        .isIn(HeadFigures.Detail.ALL, HeadFigures.Detail.ONE);
    String page = new Page(runs, true).html();
    assertMarkup(page);
    assertThat(page.getBytes(StandardCharsets.UTF_8).length).isLessThan(1_000_000);
    assertThat(count(page, "I, importance of heads</figcaption>")).isEqualTo(10);
    assertThat(count(page, "largest of its layer"))
        .isEqualTo(detail == HeadFigures.Detail.LAYERS ? 10 * L : 0);
  }

  @Test
  void damagedTablesAreNamed() throws IOException {
    RunRecord run = run("r", 4, 4, true);
    Files.writeString(run.folder().importanceCsv(1), "layer,head,F\n0,0,x\n");
    assertThatThrownBy(() -> new Page(List.of(run), false).html())
        .isInstanceOf(Failure.class)
        .hasMessageContaining("importance/02.csv:2: expected layer,head,S,F,I,selected");
  }

  private static Histogram histogram(double... values) {
    return new Histogram("t", "x", "y", values);
  }

  @Test
  void everyNumberIsCountedOnceInItsRange() {
    var random = new SplittableRandom(1);
    for (double span : new double[] {1e-3, 0.1, 1, 5, 40}) {
      double[] values = random.doubles(200).map(r -> Math.exp(span * r - 3)).toArray();
      var histogram = histogram(values);
      double[] edges = histogram.edges();
      int[] counts = histogram.counts();
      assertThat(counts.length).isBetween(1, 30);
      for (int i = 0; i < counts.length; i++) {
        double from = edges[i], to = edges[i + 1];
        assertThat(from).isLessThan(to);
        assertThat(counts[i])
            .isEqualTo((int) Arrays.stream(values).filter(v -> v >= from && v < to).count());
      }
      assertThat(Arrays.stream(counts).sum()).isEqualTo(200);
    }
  }

  @Test
  void zerosAndSingleNumbers() {
    assertThat(histogram(0, 0, 3).counts()).containsExactly(1);
    assertThat(histogram(0, 0, 3).svg()).contains("3 y, logarithmic axis; 2 of 0 are left out");
    assertThat(histogram(0, 0).counts()).isEmpty();
    assertThat(histogram(0, 0).svg()).contains("2 of 0 are left out").doesNotContain("NaN");
    assertThat(histogram(1, 10, 100, 100, 1000).counts()).contains(2).hasSizeGreaterThan(3);
    assertThat(histogram(1, 10, 100).svg())
        .contains(">1</text>", ">10</text>", ">100</text>")
        .doesNotContain("NaN", "Infinity");
  }
}
