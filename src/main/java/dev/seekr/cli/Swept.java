package dev.seekr.cli;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A setting and the values it takes in turn, as {@code --set KEY=VALUE,VALUE} has them. Commas
 * within brackets, braces and quotation marks belong to a value.
 */
record Swept(String key, List<String> values) {
  /** A value is written out in the name of a folder up to this length. */
  private static final int LONGEST = 24;

  /** Reads what stands behind --set. */
  static final class Reader implements ITypeConverter<Swept> {
    @Override
    public Swept convert(String text) {
      int equals = text.indexOf('=');
      if (equals < 1)
        throw new TypeConversionException(
            "'%s': expected key=value,value, such as method.seekr.heads=32,64".formatted(text));
      String key = text.substring(0, equals).strip();
      List<String> values = split(text.substring(equals + 1));
      if (values.contains(""))
        throw new TypeConversionException("'%s': a value is empty".formatted(text));
      if (Set.copyOf(values).size() < values.size())
        throw new TypeConversionException("'%s': names a value twice".formatted(text));
      return new Swept(key, values);
    }
  }

  private static List<String> split(String text) {
    var values = new ArrayList<String>();
    int depth = 0, from = 0;
    char quote = 0;
    boolean begins = true; // a mark here begins a quotation; elsewhere it is a letter
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quote != 0) {
        if (c == '\\' && quote == '"') i++;
        else if (c == quote) quote = 0;
        continue;
      }
      if (begins && (c == '"' || c == '\'')) quote = c;
      else if (c == '[' || c == '{') depth++;
      else if (c == ']' || c == '}') depth--;
      else if (c == ',' && depth == 0) {
        values.add(text.substring(from, i).strip());
        from = i + 1;
      }
      begins = c == '[' || c == '{' || c == ',' || c == ':' || begins && c == ' ';
      if (depth < 0) break;
    }
    if (depth != 0 || quote != 0)
      throw new TypeConversionException(
          "'%s': a bracket or quotation mark has no other".formatted(text));
    values.add(text.substring(from).strip());
    return values;
  }

  /** The key without the sections it is in. */
  String shortKey() {
    return key.substring(key.lastIndexOf('.') + 1);
  }

  /**
   * A value as part of a file's name, no two alike: as it is written where that can be, else by its
   * number.
   */
  String fileName(String value) {
    var distinct = new HashSet<String>();
    for (String v : values) distinct.add(safe(v).toLowerCase(Locale.ROOT));
    boolean asWritten =
        distinct.size() == values.size()
            && values.stream().map(Swept::safe).allMatch(v -> v.length() <= LONGEST);
    return asWritten ? safe(value) : "_" + (values.indexOf(value) + 1);
  }

  /** With an underline for each run of what a file system or a shell might take for more. */
  private static String safe(String value) {
    String safe = value.replaceAll("[^A-Za-z0-9.+-]+", "_").replaceAll("^_|_$", "");
    return safe.isEmpty() ? "_" : safe;
  }
}
