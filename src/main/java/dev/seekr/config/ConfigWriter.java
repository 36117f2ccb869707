package dev.seekr.config;

import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Prints a whole {@link RunConfig} as YAML that {@link ConfigReader} reads back equal. */
public final class ConfigWriter {
  private static final YAMLFactory FACTORY =
      YAMLFactory.builder()
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .disable(YAMLGenerator.Feature.SPLIT_LINES)
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
          .build();

  private ConfigWriter() {}

  public static String write(RunConfig config) {
    var text = new StringWriter();
    try (YAMLGenerator yaml = FACTORY.createGenerator(text)) {
      section(yaml, config);
    } catch (IOException e) {
      throw new IllegalStateException("writing to a string cannot fail", e);
    }
    return text.toString();
  }

  private static void section(YAMLGenerator yaml, Record record) throws IOException {
    yaml.writeStartObject();
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      yaml.writeFieldName(Names.key(component.getName()));
      value(yaml, Records.get(record, component));
    }
    yaml.writeEndObject();
  }

  private static void value(YAMLGenerator yaml, Object value) throws IOException {
    switch (value) {
      case null -> yaml.writeNull();
      case Record record -> section(yaml, record);
      case Duration time -> yaml.writeString(seconds(time));
      case Epochs epochs -> value(yaml, epochs.stages() == 1 ? epochs.of(0) : epochs.each());
      case Boolean flag -> yaml.writeBoolean(flag);
      case Double number -> yaml.writeNumber(decimal(number));
      case Number number -> yaml.writeNumber(number.longValue());
      case List<?> list -> {
        yaml.writeStartArray();
        for (Object item : list) {
          value(yaml, item);
        }
        yaml.writeEndArray();
      }
      case Map<?, ?> map -> {
        yaml.writeStartObject();
        for (var entry : map.entrySet()) {
          yaml.writeFieldName(entry.getKey().toString());
          value(yaml, entry.getValue());
        }
        yaml.writeEndObject();
      }
      default -> yaml.writeString(value.toString());
    }
  }

  private static String seconds(Duration time) {
    return BigDecimal.valueOf(time.toMillis(), 3).stripTrailingZeros().toPlainString() + "s";
  }

  /** With a point and a signed exponent, so that any YAML 1.1 reader takes it for a number. */
  private static String decimal(double number) {
    return Double.toString(number).replaceAll("E(\\d)", "e+$1").replace('E', 'e');
  }
}
