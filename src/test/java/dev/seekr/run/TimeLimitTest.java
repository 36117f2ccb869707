package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimeLimitTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_800_000_000L, 500_000_000);

  private static Duration left(String limit, String end) {
    return TimeLimit.of(limit == null ? null : Duration.parse(limit), end, NOW).orElse(null);
  }

  @Test
  void noLimit() {
    assertThat(left(null, null)).isNull();
    assertThat(left(null, "")).isNull();
    assertThat(left(null, " \n")).isNull();
  }

  /** Whichever comes first. */
  @ParameterizedTest
  @CsvSource({
    "PT90M,, PT90M",
    "PT90M, '', PT90M",
    ", 1800000060, PT59.5S",
    ", ' 1800000060\n', PT59.5S",
    "PT1M, 1800000060, PT59.5S",
    "PT59S, 1800000060, PT59S",
    "PT59.5S, 1800000060, PT59.5S",
    ", 4102444800, PT2302444799.5S"
  })
  void whatIsLeft(String limit, String end, String left) {
    assertThat(left(limit, end)).isEqualTo(Duration.parse(left));
  }

  /** Among these are milliseconds, which would mean for ever. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "soon",
        "1.8e9",
        "1800000000.5",
        "2027-01-15T08:00:00Z",
        "90m",
        "0x10",
        "--1",
        "1 800",
        "1800000000000",
        "-1800000000000",
        "9223372036854775807",
        "9223372036854775808"
      })
  void noEnd(String end) {
    var failure = catchThrowableOfType(Failure.class, () -> left("PT1M", end));
    assertThat(failure).as(end).isNotNull();
    assertThat(failure.exit.code).isEqualTo(78);
    assertThat(failure)
        .hasMessage("SEEKR_END_TIME is '%s'; expected seconds since 1970, as 'date +%%s'", end);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1800000000", "1799999000", "0", "-1"})
  void anEndThatIsOver(String end) {
    var failure = catchThrowableOfType(Failure.class, () -> left("PT1M", end));
    assertThat(failure)
        .hasMessage(
            "SEEKR_END_TIME is %s, which is over", Instant.ofEpochSecond(Long.parseLong(end)));
    assertThat(failure.exit).isEqualTo(Failure.Exit.CONFIG);
  }
}
