/* What AWS' services have in common: how they say no, XML answers, times. Requests are signed by whoever sends them. */
#ifndef HM_HANDLERS_AWS_H
#define HM_HANDLERS_AWS_H

#include "handlers/http_request.h"
#include "handlers/xml.h"

/* The verdict on an error of the service: by its code where it is a well-known one, else by the answer's status. code and message
 * are foreign; code may be "" when the answer had none. */
enum hm_verdict hm_aws_judge(const struct hm_http_asked *asked, const struct hm_answer *answer, const char *code,
                             const char *message, struct hm_outcome *out);

/* A 2xx with XML: OK and *ret_xml, which the caller frees. Else the verdict; *ret_xml is NULL. Understands the errors of EC2
 * (Response/Errors/Error), of CloudWatch (ErrorResponse/Error) and of S3 (Error). */
enum hm_verdict hm_aws_read_xml(const struct hm_http_asked *asked, const struct hm_answer *answer, struct hm_xml **ret_xml,
                                struct hm_outcome *out);

/* text is a moment: "2026-11-22T14:32:33Z" of it, to the second, so that such texts can be compared. The caller frees; NULL when
 * it is none. */
char *hm_aws_time(const char *text);

/* Letters, digits and the given others only; 1 to max characters. */
bool hm_aws_name_ok(const char *name, const char *others, size_t max);

#endif
