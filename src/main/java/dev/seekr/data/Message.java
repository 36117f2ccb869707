package dev.seekr.data;

/**
 * A turn of a conversation.
 *
 * @param role system, user or assistant
 */
public record Message(String role, String text) {}
