package dev.seekr.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.seekr.Failure;
import dev.seekr.tensor.DType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The checked header of a safetensors file.
 *
 * @param entries what is known of each tensor, in the order of the data
 * @param metadata the strings of {@code __metadata__}; empty when there is none
 */
record SafetensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {
  static final String METADATA = "__metadata__";

  /**
   * Names are not interned: they come from outside. A header is three levels deep; more may only be
   * skipped.
   */
  static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(64).build())
          .build();

  /**
   * One tensor: bytes [begin, end) of the data.
   *
   * @param dtype the format's name of the element type
   */
  record Entry(String dtype, long[] shape, long begin, long end) {
    /** The element type; null where {@link DType} has none. */
    DType type() {
      for (DType t : DType.values()) if (t.name().equals(dtype)) return t;
      return null;
    }
  }

  /**
   * Parses and checks the header {@code json} of {@code file}, which has {@code dataSize} bytes of
   * data after it.
   */
  static SafetensorsHeader parse(Path file, byte[] json, long dataSize) {
    if (json.length == 0 || json[0] != '{') {
      throw Failure.data(
          "%s: expected a header that begins with '{', found %s",
          file, json.length == 0 ? "an empty one" : "byte 0x%02x".formatted(json[0]));
    }
    // A decoder rather than a charset: it reports what is not UTF-8 instead of replacing it.
    var reader =
        new InputStreamReader(new ByteArrayInputStream(json), StandardCharsets.UTF_8.newDecoder());
    try (var parser = JSON.createParser(reader)) {
      var header = new HeaderWalk(file, parser).header();
      return new SafetensorsHeader(checkLayout(file, header.entries, dataSize), header.metadata);
    } catch (CharacterCodingException e) {
      throw Failure.data("%s: expected a header in UTF-8, found bytes that are not", file);
    } catch (JsonProcessingException e) {
      throw Failure.data(
          "%s: expected a header in JSON, found at %s: %s", file, at(e), e.getOriginalMessage());
    } catch (IOException e) {
      throw Failure.data("%s: header cannot be read: %s", file, e.getMessage());
    }
  }

  static String at(JsonProcessingException e) {
    return e.getLocation() == null
        ? "an unknown place"
        : "line " + e.getLocation().getLineNr() + ", column " + e.getLocation().getColumnNr();
  }

  /**
   * The tensors in data order; each must begin where the one before it ends, and the last end with
   * the data.
   */
  private static Map<String, Entry> checkLayout(
      Path file, Map<String, Entry> entries, long dataSize) {
    var sorted = new LinkedHashMap<String, Entry>();
    long covered = 0;
    String before = null;
    var byOffset = Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end);
    for (var named :
        entries.entrySet().stream().sorted(Map.Entry.comparingByValue(byOffset)).toList()) {
      String name = named.getKey();
      Entry e = named.getValue();
      if (e.begin != covered) {
        throw Failure.data(
            "%s: tensor '%s': expected its data at offset %d (%s), found %d: %s",
            file,
            name,
            covered,
            before == null ? "the beginning" : "the end of '" + before + "'",
            e.begin,
            e.begin < covered ? "the two overlap" : "there is a hole");
      }
      if (e.end > dataSize) {
        throw Failure.data(
            "%s: tensor '%s': expected data up to offset %d, found only %d bytes; the file is"
                + " truncated",
            file, name, e.end, dataSize);
      }
      sorted.put(name, e);
      covered = e.end;
      before = name;
    }
    if (covered != dataSize) {
      throw Failure.data(
          "%s: expected %d bytes of data, found %d: the last %d belong to no tensor",
          file, covered, dataSize, dataSize - covered);
    }
    return Collections.unmodifiableMap(sorted);
  }
}
