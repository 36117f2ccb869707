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
import java.util.function.Predicate;

/** Prints a {@link RunConfig} as YAML for {@link ConfigReader}. */
public final class ConfigWriter {
  private static final YAMLFactory FACTORY =
      YAMLFactory.builder()
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .disable(YAMLGenerator.Feature.SPLIT_LINES)
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
          .build();

  private final YAMLGenerator yaml;
  private final Predicate<String> wanted; // keys and sections

  private ConfigWriter(YAMLGenerator yaml, Predicate<String> wanted) {
    this.yaml = yaml;
    this.wanted = wanted;
  }

  /** All of it: what is read back is equal. */
  public static String write(RunConfig config) {
    return write(config, _ -> true);
  }

  /** What does anything in its run: read back, all other settings are as they are by default. */
  public static String inUse(RunConfig config) {
    return write(config, config::uses);
  }

  private static String write(RunConfig config, Predicate<String> wanted) {
    var text = new StringWriter();
    try (YAMLGenerator yaml = FACTORY.createGenerator(text)) {
      new ConfigWriter(yaml, wanted).section("", config);
    } catch (IOException e) {
      throw new IllegalStateException("writing to a string cannot fail", e);
    }
    return text.toString();
  }

  private void section(String path, Record record) throws IOException {
    yaml.writeStartObject();
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      String name = Names.key(component.getName()), key = path + name;
      if (!wanted.test(key)) continue;
      yaml.writeFieldName(name);
      value(key, Records.get(record, component));
    }
    yaml.writeEndObject();
  }

  private void value(String key, Object value) throws IOException {
    switch (value) {
      case null -> yaml.writeNull();
      case Record record -> section(key + ".", record);
      case Duration time -> yaml.writeString(seconds(time));
      case Epochs epochs -> value(key, epochs.stages() == 1 ? epochs.of(0) : epochs.each());
      case Boolean flag -> yaml.writeBoolean(flag);
      case Double number -> yaml.writeNumber(decimal(number));
      case Number number -> yaml.writeNumber(number.longValue());
      case List<?> list -> {
        yaml.writeStartArray();
        for (Object item : list) {
          value(key, item);
        }
        yaml.writeEndArray();
      }
      case Map<?, ?> map -> {
        yaml.writeStartObject();
        for (var entry : map.entrySet()) {
          yaml.writeFieldName(entry.getKey().toString());
          value(key, entry.getValue());
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
