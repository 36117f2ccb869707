package dev.seekr.safetensors;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.seekr.Failure;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.LongStream;

/** One walk over the JSON of a safetensors header, token by token: depth costs no stack. */
final class HeaderWalk {
  /** Bits an element takes, of every type the format knows. */
  private static final Map<String, Integer> BITS =
      Map.ofEntries(
          Map.entry("BOOL", 8),
          Map.entry("F4", 4),
          Map.entry("F6_E2M3", 6),
          Map.entry("F6_E3M2", 6),
          Map.entry("U8", 8),
          Map.entry("I8", 8),
          Map.entry("F8_E5M2", 8),
          Map.entry("F8_E4M3", 8),
          Map.entry("F8_E8M0", 8),
          Map.entry("F8_E4M3FNUZ", 8),
          Map.entry("F8_E5M2FNUZ", 8),
          Map.entry("I16", 16),
          Map.entry("U16", 16),
          Map.entry("F16", 16),
          Map.entry("BF16", 16),
          Map.entry("I32", 32),
          Map.entry("U32", 32),
          Map.entry("F32", 32),
          Map.entry("C64", 64),
          Map.entry("F64", 64),
          Map.entry("I64", 64),
          Map.entry("U64", 64));

  final Map<String, SafetensorsHeader.Entry> entries = new LinkedHashMap<>();
  Map<String, String> metadata = Map.of();
  private final Path file;
  private final JsonParser json;

  HeaderWalk(Path file, JsonParser json) {
    this.file = file;
    this.json = json;
  }

  HeaderWalk header() throws IOException {
    json.nextToken(); // '{', as the caller saw
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String name = json.currentName();
      json.nextToken();
      if (name.equals(SafetensorsHeader.METADATA)) metadata = metadata();
      else entries.put(name, entry(name));
    }
    if (json.nextToken() != null) {
      throw Failure.data(
          "%s: expected the header to end after its object, found '%s'", file, json.getText());
    }
    return this;
  }

  private Map<String, String> metadata() throws IOException {
    if (json.currentToken() != JsonToken.START_OBJECT)
      throw wrong(SafetensorsHeader.METADATA, "an object of strings");
    var out = new LinkedHashMap<String, String>();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = json.currentName();
      if (json.nextToken() != JsonToken.VALUE_STRING)
        throw wrong(SafetensorsHeader.METADATA, "a string for '" + key + "'");
      out.put(key, json.getText());
    }
    return Collections.unmodifiableMap(out);
  }

  private SafetensorsHeader.Entry entry(String name) throws IOException {
    if (json.currentToken() != JsonToken.START_OBJECT) throw wrong(name, "an object");
    String dtype = null;
    long[] shape = null;
    long[] offsets = null;
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "dtype" -> dtype = dtype(name);
        case "shape" -> shape = sizes(name, field);
        case "data_offsets" -> offsets = sizes(name, field);
        default -> json.skipChildren();
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      throw Failure.data(
          "%s: tensor '%s': expected dtype, shape and data_offsets, found no %s",
          file, name, dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets");
    }
    if (offsets.length != 2 || offsets[0] > offsets[1]) {
      throw Failure.data(
          "%s: tensor '%s': expected data_offsets [begin, end], found %s",
          file, name, Arrays.toString(offsets));
    }
    long need = bytes(name, dtype, shape);
    if (offsets[1] - offsets[0] != need) {
      throw Failure.data(
          "%s: tensor '%s': expected %d bytes for %s%s, found data_offsets %s of %d bytes",
          file,
          name,
          need,
          dtype,
          Arrays.toString(shape),
          Arrays.toString(offsets),
          offsets[1] - offsets[0]);
    }
    return new SafetensorsHeader.Entry(dtype, shape, offsets[0], offsets[1]);
  }

  private String dtype(String name) throws IOException {
    if (json.currentToken() != JsonToken.VALUE_STRING) throw wrong(name, "a string for dtype");
    if (!BITS.containsKey(json.getText())) throw wrong(name, "a safetensors dtype");
    return json.getText();
  }

  private long[] sizes(String name, String field) throws IOException {
    String expected = "a list of integers from 0 to 2^63-1 for " + field;
    if (json.currentToken() != JsonToken.START_ARRAY) throw wrong(name, expected);
    var out = LongStream.builder();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (json.currentToken() != JsonToken.VALUE_NUMBER_INT
          || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
          || json.getLongValue() < 0) throw wrong(name, expected);
      out.add(json.getLongValue());
    }
    return out.build().toArray();
  }

  /**
   * Bytes the elements take; the product over the shape is taken in its order, as {@link
   * Tensor#size} does.
   */
  private long bytes(String name, String dtype, long[] shape) {
    try {
      long bits = Math.multiplyExact(Tensor.size(shape), BITS.get(dtype).longValue());
      if (bits % 8 == 0) return bits / 8;
    } catch (ArithmeticException e) {
      // Falls through: no file can be that large.
    }
    throw Failure.data(
        "%s: tensor '%s': expected a shape of whole bytes below 2^60, found %s%s",
        file, name, dtype, Arrays.toString(shape));
  }

  private Failure wrong(String name, String expected) throws IOException {
    String found = json.currentToken() == null ? "the end" : json.getText();
    if (found.length() > 40) found = found.substring(0, 40) + "...";
    return Failure.data("%s: tensor '%s': expected %s, found '%s'", file, name, expected, found);
  }
}
