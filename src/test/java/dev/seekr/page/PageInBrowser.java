package dev.seekr.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code make page-test}: the page as a browser shows it, on a phone and a screen, light and dark.
 */
class PageInBrowser {
  @TempDir static Path folder;
  private static Browser browser;
  private static int charts;

  @BeforeAll
  static void page() throws IOException {
    var runs =
        List.of(
            HandmadeRuns.run(folder, "seekr-1", 60, "method.name=seekr", "train.seed=1"),
            HandmadeRuns.run(folder, "seekr-2", 62, "method.name=seekr", "train.seed=2"),
            HandmadeRuns.run(folder, "seqft-1", 40, "method.name=seqft"));
    String html = new Page(runs.stream().map(RunRecord::read).toList(), true).html();
    charts = html.split("<svg ", -1).length - 1;
    browser = new Browser(folder, html);
  }

  @ParameterizedTest
  @CsvSource({"390, light", "390, dark", "1440, light", "1440, dark"})
  void isWhole(int width, String scheme) throws IOException {
    JsonNode page = browser.measure(width, scheme);
    assertThat(page.path("dark").booleanValue()).isEqualTo(scheme.equals("dark"));
    assertThat(page.path("width").intValue()).isEqualTo(width);
    assertThat(page.path("scrollWidth").intValue())
        .as("nothing sticks out")
        .isLessThanOrEqualTo(width);
    assertThat(page.path("requests").intValue()).as("it asks for nothing").isZero();
    assertThat(page.path("scripts").intValue()).as("nothing in it could").isZero();
    assertThat(page.path("contrast").doubleValue()).as("WCAG 2 AA").isGreaterThanOrEqualTo(4.5);
    assertThat(page.path("charts")).hasSize(charts);
    for (JsonNode chart : page.path("charts")) {
      String title = chart.path("title").textValue();
      assertThat(chart.path("marks").intValue()).as(title).isPositive();
      assertThat(Browser.texts(chart.path("axes"))).as(title).hasSize(2).doesNotContain("");
      assertThat(Browser.texts(chart.path("outside"))).as(title).isEmpty();
      assertThat(Browser.texts(chart.path("overlaps"))).as(title).isEmpty();
    }
  }
}
