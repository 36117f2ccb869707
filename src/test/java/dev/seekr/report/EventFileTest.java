package dev.seekr.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.report.EventReader.Scalar;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
  @TempDir Path folder;

  private Path write() {
    Path file = folder.resolve("events.out.tfevents.1");
    try (var events = new EventFile(file, () -> Instant.ofEpochSecond(1, 500_000_000))) {
      events.text("configuration", "a: ä\n");
      events.begins(300);
      var values = new LinkedHashMap<String, Double>();
      values.put("loss/total", 1.25);
      values.put("score/任务", -0.1);
      values.put("none", Double.NaN);
      events.scalars(1L << 40, values);
      events.scalars(0, values);
      assertThat(events.force()).isEqualTo(file.toFile().length());
    }
    return file;
  }

  /**
   * The check value of CRC-32C, and the first twelve bytes of every file that TensorFlow writes.
   */
  @Test
  void theFirstRecordIsTensorFlows() throws IOException {
    assertThat(EventReader.crc("123456789".getBytes(StandardCharsets.US_ASCII)))
        .isEqualTo(0xe3069283);
    byte[] bytes = Files.readAllBytes(write());
    assertThat(HexFormat.of().formatHex(Arrays.copyOf(bytes, 12)))
        .isEqualTo("1800000000000000a37f4b22");
    var first = EventReader.events(folder.resolve("events.out.tfevents.1")).getFirst();
    assertThat(first.text(3)).isEqualTo("brain.Event:2");
    assertThat(first.fields().get(1)).isEqualTo(List.of(1.5));
    assertThat(first.fields()).doesNotContainKey(2);
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    var events = EventReader.events(write());
    assertThat(events).hasSize(5);
    var text = events.get(1).inner(5).getFirst().inner(1).getFirst();
    assertThat(text.text(1)).isEqualTo("configuration");
    assertThat(text.inner(8).getFirst().text(8)).isEqualTo("a: ä\n");
    assertThat(text.inner(8).getFirst().fields().get(1)).isEqualTo(List.of(7L));
    assertThat(text.inner(9).getFirst().inner(1).getFirst().text(1)).isEqualTo("text");
    assertThat(events.get(2).step()).isEqualTo(300);
    assertThat(events.get(2).inner(7).getFirst().fields().get(1)).isEqualTo(List.of(1L));
    assertThat(EventReader.scalars(folder))
        .containsExactly(
            new Scalar("loss/total", 1L << 40, 1.25f),
            new Scalar("score/任务", 1L << 40, -0.1f),
            new Scalar("none", 1L << 40, Float.NaN),
            new Scalar("loss/total", 0, 1.25f),
            new Scalar("score/任务", 0, -0.1f),
            new Scalar("none", 0, Float.NaN));
  }
}
