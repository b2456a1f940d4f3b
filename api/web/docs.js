"use strict";
/* The description of the interface, from this service alone: no validator outside is asked. */
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
