package dev.seekr.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Safetensors files made by hand, right or wrong. */
final class HeaderBytes {
  private HeaderBytes() {}

  /** The header's true length, the header, and so many bytes of data that count up from 0. */
  static byte[] file(byte[] header, int dataBytes) {
    return file(header.length, header, dataBytes);
  }

  static byte[] file(String header, int dataBytes) {
    return file(header.getBytes(StandardCharsets.UTF_8), dataBytes);
  }

  /** As {@link #file(byte[], int)} with a length that need not be true. */
  static byte[] file(long length, byte[] header, int dataBytes) {
    var out = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(length).put(header);
    for (int i = 0; i < dataBytes; i++) out.put((byte) i);
    return out.array();
  }

  static Path write(Path folder, byte[] bytes) throws IOException {
    return Files.write(folder.resolve("x.safetensors"), bytes);
  }
}
