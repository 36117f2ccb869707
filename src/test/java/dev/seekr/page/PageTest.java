package dev.seekr.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PageTest {
  @TempDir Path folder;

  private Path run(String name, double end, String... settings) {
    return HandmadeRuns.run(folder, name, end, settings);
  }

  private static Page page(Path... runs) {
    return new Page(Stream.of(runs).map(RunRecord::read).toList(), true);
  }

  private static Results results(Page page) {
    return Results.of(page.runs());
  }

  private static int count(String text, String what) {
    return (int) Pattern.compile(Pattern.quote(what)).matcher(text).results().count();
  }

  @Test
  void theClaimComesFirstWithSpreadAndSeeds() {
    var page =
        page(
            run("s1", 60, "method.name=seekr", "train.seed=1"),
            run("s2", 62, "method.name=seekr", "train.seed=2"),
            run("q1", 40, "method.name=seqft"));
    String html = page.html();
    String claim = "seekr has the highest OP: OP 61.00 ± 1.41, BWT -19.00 ± 1.41";
    assertThat(html).contains("<h1>" + claim + "</h1>", "2 seeds. Next is seqft, 21.00 below.");
    assertThat(html.indexOf(claim)).isLessThan(html.indexOf("<table"));
    assertThat(results(page).markdown())
        .isEqualTo(
            """
            | method | runs | OP | BWT | BWT (T) | forgetting | average | seconds | peak MiB | stored MiB |
            | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
            | seekr | 2 | 61.00 ± 1.41 | -19.00 ± 1.41 | -9.50 ± 0.71 | 19.00 ± 1.41 | 70.50 ± 0.71 | 61.0 | 100 | 1.00 |
            | seqft | 1 | 40.00 | -40.00 | -20.00 | 40.00 | 60.00 | 40.0 | 100 | 1.00 |
            """);
    assertThat(results(page).latex())
        .contains("seqft & $1$ & $40.00$ & $-40.00$ &", "$61.00 \\pm 1.41$");
  }

  @Test
  void whatIsWithinTheSpreadIsSaidToBe() {
    String html =
        page(
                run("s1", 50, "method.name=seekr", "train.seed=1"),
                run("s2", 70, "method.name=seekr", "train.seed=2"),
                run("d1", 59, "method.name=derpp", "train.seed=1"),
                run("d2", 57, "method.name=derpp", "train.seed=2"))
            .html();
    assertThat(html).contains("seekr has the highest OP, within the spread: OP 60.00 ± 14.14");
  }

  @Test
  void noClaimWhereNothingCanBeRanked() {
    String tie = page(run("a", 50, "method.name=seekr"), run("b", 50, "method.name=derpp")).html();
    assertThat(tie).contains("<h1>seekr and derpp have the same OP: OP 50.00");
    String other =
        page(
                run("a", 50, "method.name=seekr"),
                run("c", 60, "method.name=derpp", "data.test_limit=5"))
            .html();
    assertThat(other).contains("<h1>2 groups of runs that are tested differently</h1>");
    String twice =
        page(run("a", 50, "method.name=seekr"), run("d", 50, "method.name=seekr")).html();
    assertThat(twice)
        .contains("One seed: no spread is known", "does not count")
        .doesNotContain("±</h1>");
  }

  @Test
  void runsOfOneSettingAreOneGroup() {
    var groups =
        Groups.of(
            Stream.of(
                    run("a", 60, "method.seekr.heads=4", "train.seed=1"),
                    run("b", 61, "method.seekr.heads=4", "train.seed=2"),
                    run("c", 62, "method.seekr.heads=8", "train.seed=1"))
                .map(RunRecord::read)
                .toList());
    assertThat(groups.keys()).containsExactly("method.seekr.heads");
    assertThat(groups.all())
        .extracting(Groups.Group::label)
        .containsExactly("seekr (heads 4)", "seekr (heads 8)");
    assertThat(groups.all().getFirst().runs()).hasSize(2);
  }

  @Test
  void numbersNameTheirLines() {
    var record = RunRecord.read(run("r", 60));
    // run, 300 steps, evaluation, 300 steps, evaluation, end
    assertThat(record.line(0, 0)).isEqualTo(302);
    assertThat(record.line(0, 1)).isEqualTo(603);
    assertThat(record.end("seconds")).contains(new RunRecord.Said(60, 604));
    assertThat(record.steps()).hasSize(600);
    assertThat(record.steps().get(300).at()).isEqualTo(301);
    assertThat(record.steps().get(300).line()).isEqualTo(303);
    assertThat(record.steps().get(6).norm()).isNaN();
    assertThat(page(folder.resolve("r")).html())
        .contains("id=\"r-L302\" title=\"log.jsonl line 302\">80.0</td>");
  }

  @Test
  void nothingOfTheDataIsMarkup() throws Exception {
    String html = page(run("r", 60)).html();
    assertThat(html)
        .doesNotContain("<script", "http:", "https:", "url(", "<a>&")
        .contains("&lt;script&gt;no", "&lt;a&gt;&amp;: 7 answers lost, 0 gained");
    assertThat(count(html, "class=\"example lost\"")).isEqualTo(5);
    String plain = new Page(List.of(RunRecord.read(folder.resolve("r"))), false).html();
    assertThat(plain).doesNotContain("secret", "answers lost");
    // All but the doctype is XML, so that every element is closed.
    var builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
    String xml = html.substring(html.indexOf("<html")).replace("&nbsp;", " ");
    assertThat(builder.parse(new java.io.ByteArrayInputStream(xml.getBytes("UTF-8")))).isNotNull();
  }

  @Test
  void chartsHoldTheirPoints() {
    var record = RunRecord.read(run("r", 60));
    String html = new RunSection(record, 100, true, HeadFigures.Detail.ALL).html(true);
    assertThat(html)
        .contains(
            "Loss terms before their weights", "Learning rate", "Speed", "weights, MiB at most");
    // Four series of steps as lines, of which one has a gap; two tasks over the stages.
    assertThat(count(html, "<path")).isEqualTo(7);
    assertThat(count(html, "class=\"axis\"")).isEqualTo(10);
  }

  @Test
  void seriesAreThinnedToLinesOfTheLog() {
    var points = new ArrayList<Chart.Point>();
    for (int i = 0; i < 1000; i++) points.add(new Chart.Point(i, 2 * i, i + 1));
    var chart = new Chart("t", "x", "y", List.of(new Chart.Series("s", points))).thinned(50);
    var kept = chart.series().getFirst().points();
    assertThat(kept).hasSize(50).isSubsetOf(points);
    assertThat(kept.getFirst()).isEqualTo(points.getFirst());
    assertThat(kept.getLast()).isEqualTo(points.getLast());
  }

  @Test
  void tenRunsAreBelowAMegabyte() {
    var runs = new ArrayList<RunRecord>();
    for (int i = 0; i < 10; i++) runs.add(RunRecord.read(run("r" + i, 50 + i, "train.seed=" + i)));
    assertThat(new Page(runs, true).html().length()).isLessThan(1_000_000);
  }

  @Test
  void damagedFilesAreNamed() throws IOException {
    Path run = run("r", 60);
    Files.writeString(run.resolve("predictions/02/<a>&.jsonl"), "{}\n{\n");
    assertThatThrownBy(() -> page(run).html())
        .isInstanceOf(Failure.class)
        .hasMessageContaining("<a>&.jsonl:2: expected an answer in JSON");
    assertThatThrownBy(() -> page(folder.resolve("none")))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("none: holds no run");
  }

  @Test
  void paperIsBesideItsOwnOrdersAlone() {
    String order = "data={order: 3, tasks: null}";
    assertThat(Paper.of(RunRecord.read(run("a", 60, order)))).contains("57.04 (-3.15)");
    assertThat(Paper.of(RunRecord.read(run("b", 60, order, "method.name=ewc")))).isEmpty();
    assertThat(Paper.of(RunRecord.read(run("c", 60, order, "data.train_limit=9")))).isEmpty();
    assertThat(Paper.of(RunRecord.read(run("d", 60)))).isEmpty();
  }
}
