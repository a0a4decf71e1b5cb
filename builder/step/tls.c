// SPDX-License-Identifier: Apache-2.0
/* TLS towards the clients: a certificate of the step's authority for whatever host they want. */
#include <builder/step/server.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/* Whose certificate: that of the name in the client's hello, or of the tunnel. */
static int choose_certificate(SSL *ssl, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const sb_slice *other = SSL_get_app_data(ssl);

    return step_ca_use(arg, ssl, name ? sb_slice_z(name) : *other);
}

/* Why the client gave up, where the user can do something about it; NULL otherwise. */
static const char *reason_of_failure(void)
{
    switch (ERR_GET_REASON(ERR_peek_last_error())) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
        return "a client takes no notice of SSL_CERT_FILE and its like, and does not trust the step's server";
    case SSL_R_NO_APPLICATION_PROTOCOL:
        return "a client speaks HTTP/2 alone, as gRPC does, which cannot be locked";
    default:
        return NULL;
    }
}

static void tell_failure(step_server *server, sb_slice host)
{
    const char *reason = reason_of_failure();
    sb_autofree char *shown = sb_printable(host);
    sb_autofree char *text = NULL;

    if (!reason)
        return;
    text = sb_asprintf("%s: %s", shown, reason);
    step_notice(server, "sbuild: %s (step %" SB_FMT ": %" SB_FMT ")", text, SB_ARG(server->config->id),
                SB_ARG(server->config->label));
    step_server_report(server, "unrecordable", SB_NIL, sb_slice_z(text));
}

bool step_tls_accept(step_server *server, step_stream *stream, sb_slice host)
{
    sb_slice have = step_stream_have(stream);
    SSL *ssl = SSL_new(server->tls);
    BIO *early = BIO_new_mem_buf(have.ptr, (int)have.len);
    BIO *wire = BIO_new_socket(stream->fd, BIO_NOCLOSE);
    bool again;
    int status;

    if (!ssl || !early || !wire) {
        SSL_free(ssl);
        BIO_free(early);
        BIO_free(wire);
        return false;
    }
    BIO_set_mem_eof_return(early, -1);
    BIO_up_ref(wire);
    SSL_set0_wbio(ssl, wire);
    SSL_set0_rbio(ssl, early);
    SSL_set_app_data(ssl, &host);
    ERR_clear_error();
    status = SSL_accept(ssl);
    again = status <= 0 && SSL_get_error(ssl, status) == SSL_ERROR_WANT_READ;
    SSL_set0_rbio(ssl, wire);
    if (again)
        status = SSL_accept(ssl);
    if (status <= 0) {
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

        tell_failure(server, name ? sb_slice_z(name) : host);
        SSL_free(ssl);
        ERR_clear_error();
        return false;
    }
    step_stream_use(stream, have.len);
    stream->ssl = ssl;
    return true;
}

/* Of what the client speaks; "h2" alone is refused, since an answer in HTTP/1.1 would only puzzle it. */
static int choose_protocol(SSL *ssl, const unsigned char **ret_chosen, unsigned char *ret_len,
                           const unsigned char *offered, unsigned len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof(ours) - 1, offered, len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_chosen = chosen;
    return SSL_TLSEXT_ERR_OK;
}

int step_tls_new(step_ca *ca, SSL_CTX **ret_tls, sb_error **err)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    /* The fastest cipher that everybody has comes first: nobody listens on this wire. */
    if (!tls || SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(tls, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                      "TLS_CHACHA20_POLY1305_SHA256") != 1) {
        SSL_CTX_free(tls);
        return sb_fail(err, SB_ERR_INTERNAL, "cannot prepare TLS");
    }
    SSL_CTX_set_options(tls, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(tls, 0);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_cert_cb(tls, choose_certificate, ca);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
    *ret_tls = tls;
    return 0;
}
