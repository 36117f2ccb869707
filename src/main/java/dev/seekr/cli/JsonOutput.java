package dev.seekr.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.PrintWriter;
import java.util.OptionalDouble;

/** What --json prints: one object, fields in the order they are declared, named in snake_case. */
final class JsonOutput {
  private static final JsonMapper JSON =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  private JsonOutput() {}

  static void print(PrintWriter out, Object result) {
    out.print(text(result));
    out.flush();
  }

  static String text(Object result) {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(result) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A number, or null where there is none: NaN and infinities are none in JSON. */
  static Double number(OptionalDouble value) {
    return value.isPresent() && Double.isFinite(value.getAsDouble()) ? value.getAsDouble() : null;
  }
}
