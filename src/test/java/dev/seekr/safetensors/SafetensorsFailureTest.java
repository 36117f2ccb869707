package dev.seekr.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsFailureTest {
  @TempDir Path folder;

  private static final String HUGE = "4611686018427387904"; // 2^62

  private static String entry(String dtype, String shape, String offsets) {
    return "{\"dtype\":%s,\"shape\":%s,\"data_offsets\":%s}".formatted(dtype, shape, offsets);
  }

  private static String f32(String name, int elements, int begin, int end) {
    return "\"%s\":%s"
        .formatted(name, entry("\"F32\"", "[" + elements + "]", "[%d,%d]".formatted(begin, end)));
  }

  private static String a(String dtype, String shape, String offsets) {
    return "{\"a\":" + entry(dtype, shape, offsets) + "}";
  }

  static Stream<Arguments> headers() {
    String sizes = "a list of integers";
    return Stream.of(
        arguments("", 0, "begins with '{', found an empty one"),
        arguments(" {}", 0, "begins with '{', found byte 0x20"),
        arguments("[]", 0, "begins with '{'"),
        arguments("{", 0, "JSON"),
        arguments("{\"a\"", 0, "JSON"),
        arguments("{\"a\":", 0, "JSON"),
        arguments("{\"a\":{", 0, "JSON"),
        arguments("{} x", 0, "JSON"),
        arguments("{}{}", 0, "after its object"),
        arguments("{\"a\":NaN}", 0, "JSON"),
        arguments("{\"a\":" + "[".repeat(100_000), 0, "expected an object"),
        arguments("{\"a\":{\"x\":" + "[".repeat(100_000), 0, "nesting depth"),
        arguments("{\"a\":{\"x\":" + "{\"a\":".repeat(100_000), 0, "nesting depth"),
        arguments("{\"a\":{\"x\":" + "9".repeat(100_000) + "}}", 0, "length"),
        arguments("{\"a\":null}", 0, "'a': expected an object, found 'null'"),
        arguments("{\"a\":[]}", 0, "'a': expected an object"),
        arguments("{\"a\":{}}", 0, "found no dtype"),
        arguments("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}", 0, "found no shape"),
        arguments("{\"a\":{\"dtype\":\"F32\",\"shape\":[0]}}", 0, "found no data_offsets"),
        arguments("{\"__metadata__\":1}", 0, "__metadata__"),
        arguments("{\"__metadata__\":{\"a\":1}}", 0, "a string for 'a', found '1'"),
        arguments("{\"__metadata__\":{\"a\":null}}", 0, "a string for 'a'"),
        arguments("{\"\\ud800\":" + entry("\"F32\"", "[1]", "[0,4]") + "}", 4, "surrogate"),
        arguments("{" + f32("a", 1, 0, 4) + "," + f32("a", 1, 4, 8) + "}", 8, "'a'"),
        arguments("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, "Duplicate"),
        arguments(
            a("\"F31\"", "[1]", "[0,4]"), 4, "'a': expected a safetensors dtype, found 'F31'"),
        arguments(a("\"f32\"", "[1]", "[0,4]"), 4, "found 'f32'"),
        arguments(a("32", "[1]", "[0,4]"), 4, "a string for dtype"),
        arguments(a("\"F32\"", "1", "[0,4]"), 4, sizes),
        arguments(a("\"F32\"", "{}", "[0,4]"), 4, sizes),
        arguments(a("\"F32\"", "[-1]", "[0,4]"), 4, sizes),
        arguments(a("\"F32\"", "[1.0]", "[0,4]"), 4, sizes),
        arguments(a("\"F32\"", "[1e0]", "[0,4]"), 4, sizes),
        arguments(a("\"F32\"", "[\"1\"]", "[0,4]"), 4, sizes),
        arguments(a("\"F32\"", "[null]", "[0,4]"), 4, sizes),
        arguments(a("\"F32\"", "[[1]]", "[0,4]"), 4, sizes),
        arguments(a("\"F32\"", "[18446744073709551616]", "[0,4]"), 4, sizes),
        arguments(a("\"F32\"", "[9223372036854775808]", "[0,4]"), 4, sizes),
        arguments(a("\"F32\"", "[" + HUGE + ",4]", "[0,0]"), 0, "below 2^60"),
        arguments(a("\"F32\"", "[" + HUGE + "]", "[0,0]"), 0, "below 2^60"),
        arguments(a("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0, "below 2^60"),
        arguments(a("\"F4\"", "[3]", "[0,1]"), 1, "whole bytes"),
        arguments(a("\"F32\"", "[1]", "[4,0]"), 4, "[begin, end], found [4, 0]"),
        arguments(a("\"F32\"", "[1]", "[0]"), 4, "[begin, end]"),
        arguments(a("\"F32\"", "[1]", "[0,4,8]"), 4, "[begin, end]"),
        arguments(a("\"F32\"", "[1]", "[]"), 4, "[begin, end]"),
        arguments(a("\"F32\"", "[1]", "[-4,0]"), 4, sizes),
        arguments(a("\"F32\"", "[1]", "[0,8]"), 8, "expected 4 bytes for F32[1]"),
        arguments(a("\"F32\"", "[2,3]", "[0,20]"), 20, "expected 24 bytes"),
        arguments(
            a("\"F32\"", "[2]", "[0,8]"), 7, "'a': expected data up to offset 8, found only 7"),
        arguments(a("\"F32\"", "[2]", "[0,8]"), 0, "truncated"),
        arguments(a("\"F32\"", "[1]", "[4,8]"), 8, "'a': expected its data at offset 0"),
        arguments(a("\"F32\"", "[1]", "[0,4]"), 5, "the last 1 belong to no tensor"),
        arguments("{}", 3, "the last 3 belong to no tensor"),
        arguments(
            "{" + f32("a", 2, 0, 8) + "," + f32("b", 2, 4, 12) + "}",
            12,
            "'b': expected its data at offset 8 (the end of 'a'), found 4: the two overlap"),
        arguments("{" + f32("a", 1, 0, 4) + "," + f32("b", 1, 0, 4) + "}", 4, "overlap"),
        arguments(
            "{" + f32("b", 1, 8, 12) + "," + f32("a", 1, 0, 4) + "}",
            12,
            "'b': expected its data at offset 4 (the end of 'a'), found 8: there is a hole"));
  }

  @ParameterizedTest(name = "{2}")
  @MethodSource
  void headers(String header, int dataBytes, String message) throws IOException {
    fails(HeaderBytes.file(header, dataBytes), message);
  }

  static Stream<Arguments> bytes() {
    byte[] object = "{}".getBytes(StandardCharsets.US_ASCII);
    byte[] broken = "{\"?\":1}".getBytes(StandardCharsets.US_ASCII);
    broken[2] = (byte) 0xC3; // a lead byte without the byte that should follow
    byte[] overlong = "{\"??\":1}".getBytes(StandardCharsets.US_ASCII);
    overlong[2] = (byte) 0xC0;
    overlong[3] = (byte) 0x80;
    byte[] half = "{\"???\":1}".getBytes(StandardCharsets.US_ASCII);
    half[2] = (byte) 0xED; // U+D800, as UTF-8 would have it
    half[3] = (byte) 0xA0;
    half[4] = (byte) 0x80;
    return Stream.of(
        arguments(new byte[0], "a file of 0 bytes"),
        arguments(new byte[7], "a file of 7 bytes"),
        arguments(new byte[8], "an empty one"),
        arguments(HeaderBytes.file(3, object, 0), "a header of 3 bytes, found 2"),
        arguments(HeaderBytes.file(100_000_001, object, 0), "at most 100000000 bytes"),
        arguments(HeaderBytes.file(100_000_000, object, 0), "truncated"),
        arguments(HeaderBytes.file(-1, object, 0), "18446744073709551615"),
        arguments(HeaderBytes.file(Long.MIN_VALUE, object, 0), "9223372036854775808"),
        arguments(HeaderBytes.file(1, object, 0), "JSON"),
        arguments(HeaderBytes.file(broken, 0), "UTF-8"),
        arguments(HeaderBytes.file(overlong, 0), "UTF-8"),
        arguments(HeaderBytes.file(half, 0), "UTF-8"),
        arguments(HeaderBytes.file("{}".getBytes(StandardCharsets.UTF_16LE), 0), "JSON"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource
  void bytes(byte[] bytes, String message) throws IOException {
    fails(bytes, message);
  }

  private void fails(byte[] bytes, String message) throws IOException {
    Path file = HeaderBytes.write(folder, bytes);
    assertThatThrownBy(() -> Safetensors.open(file))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageStartingWith(file + ":")
        .hasMessageContaining(message);
  }
}
