package dev.seekr;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class FailureTest {
  @Test
  void everyKindHasItsStatus() {
    assertThat(Failure.data("%s has %d", "a", 3)).hasMessage("a has 3");
    assertThat(Failure.data("").exit.code).isEqualTo(65);
    assertThat(Failure.input("").exit.code).isEqualTo(66);
    assertThat(Failure.config("100 %%").exit.code).isEqualTo(78);
    assertThat(Failure.config("100 %%")).hasMessage("100 %");
  }

  /** Whatever a file or a tensor is called, the message is one line and moves no cursor. */
  @Test
  void namesAreShownAsTheyAre() {
    String odd = "a\nb\r\u001b[31m\u0085\u2028\0é漢😀\\$1";
    String shown = "a\\u000ab\\u000d\\u001b[31m\\u0085\\u2028\\u0000é漢😀\\$1";
    assertThat(Failure.data("'%s'", odd)).hasMessage("'" + shown + "'");
    assertThat(Failure.input("%s, %d, %.1f, %s", Path.of("a\nb"), 7L, 0.5, null))
        .hasMessage("a\\u000ab, 7, 0.5, null");
    assertThat(Failure.config("%s", List.of("a", "\t"))).hasMessage("[a, \\u0009]");
  }

  @Test
  void endsOfLongTextsAreShown() {
    String text = "begin" + "x".repeat(100_000) + "end";
    assertThat(Failure.plain(text))
        .startsWith("beginx")
        .contains("x... (100008 characters) ...x")
        .endsWith("xend")
        .hasSizeLessThan(1000);
    assertThat(Failure.plain("y".repeat(900))).isEqualTo("y".repeat(900));
  }
}
