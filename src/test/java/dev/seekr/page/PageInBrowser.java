package dev.seekr.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The page as headless Chromium shows it, wide and narrow, light and dark. Not among the tests of
 * {@code make test}, which need no browser: {@code make test-page}. Property {@code seekr.shots}
 * names a folder for pictures.
 */
class PageInBrowser {
  /** Everything that is wrong with the page, as texts. */
  private static final String FAULTS =
      """
      (() => {
        const faults = [];
        document.querySelectorAll('details').forEach(d => d.open = true);
        if (document.documentElement.scrollWidth > innerWidth)
          faults.push('the page is wider than the screen: ' + document.documentElement.scrollWidth);
        const charts = document.querySelectorAll('.chart svg');
        if (charts.length < 20) faults.push('only ' + charts.length + ' charts');
        charts.forEach(svg => {
          const name = svg.querySelector('title').textContent;
          const marks = [...svg.querySelectorAll('path, rect')].filter(m => {
            const box = m.getBBox();
            return box.width + box.height > 0;
          });
          if (!marks.length) faults.push(name + ': no marks');
          if (svg.querySelectorAll('.axis').length < 2) faults.push(name + ': an axis has no name');
          const frame = svg.getBoundingClientRect();
          const texts = [...svg.querySelectorAll('text')];
          const boxes = texts.map(t => t.getBoundingClientRect());
          boxes.forEach((a, i) => {
            if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 || a.bottom > frame.bottom + 1)
              faults.push(name + ': cut off: ' + texts[i].textContent);
            boxes.slice(i + 1).forEach((b, k) => {
              const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
              const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
              if (wide > 1 && high > 3)
                faults.push(name + ': ' + texts[i].textContent + ' lies over ' + texts[i + 1 + k].textContent);
            });
          });
        });
        return JSON.stringify(faults);
      })()
      """;

  @TempDir Path folder;

  @Test
  void everythingIsThereAndNothingOverlaps() throws IOException, InterruptedException {
    var runs = new ArrayList<RunRecord>();
    for (String method : List.of("seekr", "derpp", "seqft"))
      for (int seed = 1; seed <= 2; seed++)
        runs.add(
            RunRecord.read(
                HandmadeRuns.run(
                    folder,
                    method + "-" + seed,
                    40 + 5.5 * seed + method.length(),
                    "method.name=" + method,
                    "train.seed=" + seed)));
    Path page = folder.resolve("report.html");
    Files.writeString(page, new Page(runs, true).html());
    String shots = System.getProperty("seekr.shots", "");
    try (var browser = Chromium.start(folder.resolve("profile"))) {
      for (int width : new int[] {390, 1440}) {
        for (String theme : List.of("light", "dark")) {
          browser.screen(width, theme);
          browser.open(page.toUri());
          JsonNode faults = browser.evaluate(FAULTS);
          assertThat(faults).as("%d pixels, %s", width, theme).isEmpty();
          if (!shots.isEmpty())
            Files.write(
                Path.of(shots).resolve("report-%d-%s.png".formatted(width, theme)),
                Base64.getDecoder().decode(browser.picture()));
        }
      }
      assertThat(browser.requests()).containsOnly(page.toUri().toString());
      assertThat(browser.errors()).isEmpty();
    }
  }
}
